"""Small tested modules behind the "Bigger than RAM" notebooks.

The default below silences what TensorFlow's C++ part says after it was imported, such as
"failed call to cuInit" where there is no GPU. The lines it writes while it is imported take no
notice of it; `helpers.quiet` sets those aside. A value already in the environment wins.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
