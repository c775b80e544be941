"""`from helpers.quiet import keras` is Keras without TensorFlow's start-up lines in the cell.

TensorFlow 2.21 writes them to the process's error stream while it is imported, and no longer asks
TF_CPP_MIN_LOG_LEVEL (tensorflow issue 100442). So that stream is set aside for the length of the
import. If the import fails, all that was written is shown. What TensorFlow's C++ part says later,
such as "failed call to cuInit" where there is no GPU, does ask the variable; a value that is
already in the environment wins.
"""

import logging
import os
import tempfile

STDERR = 2

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with tempfile.TemporaryFile() as aside:
    stderr = os.dup(STDERR)
    os.dup2(aside.fileno(), STDERR)
    try:
        import keras as keras
    except BaseException:
        aside.seek(0)
        os.write(stderr, aside.read())
        raise
    finally:
        os.dup2(stderr, STDERR)
        os.close(stderr)

# A network that is scored on a last, shorter batch is traced twice; that is no cause for a warning.
logging.getLogger("tensorflow").setLevel(logging.ERROR)
