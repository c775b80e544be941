"""Small tested modules behind the "Bigger than RAM" notebooks.

TensorFlow prints start-up lines that hide what a cell has to say. The defaults below keep them
out of the notebooks; a value that is already in the environment wins.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
