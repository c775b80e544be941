"""How an error in the child process is told to the parent."""

import errno
import traceback

CELL = "<cell>"
# Want of memory has other names when a thread is started, a library is loaded, or the interpreter
# has not even the memory to make its error.
OTHER_WORDS = (
    "can't start new thread",
    "failed to map segment",
    "without exception set",
    "without setting an exception",
)
NO_WORDS = "Python could not get the memory it asked for."


def describe(error: BaseException | None, child_file: str) -> dict:
    """Return outcome, message, line in the cell and traceback text, as the parent needs them.

    The frames of `child_file`, which ran the code, are left out of the traceback.
    """
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return {"outcome": "finished", "message": "", "line": None, "traceback": ""}
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == child_file:
        trace = trace.tb_next
    text = "".join(traceback.format_exception(type(error), error, trace))
    lines = [frame.lineno for frame in traceback.extract_tb(trace) if frame.filename == CELL]
    if isinstance(error, SyntaxError) and error.filename == CELL:
        lines = [error.lineno]
    line = lines[-1] if lines else None
    if is_out_of_memory(error):
        outcome, message = "MemoryError", str(error) or NO_WORDS
    else:
        words = error.msg if isinstance(error, SyntaxError) else error
        outcome, message = "error", f"{type(error).__name__}: {words}"
    return {"outcome": outcome, "message": message, "line": line, "traceback": text}


def is_out_of_memory(error: BaseException) -> bool:
    """True for a MemoryError and for want of memory under another name."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    other = isinstance(error, RuntimeError | ImportError | SystemError)
    return isinstance(error, MemoryError) or (other and any(w in str(error) for w in OTHER_WORDS))
