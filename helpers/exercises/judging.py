"""What all checks share: how one says "Right!" or "Not yet", and how it watches memory."""

import functools
import tracemalloc
from collections.abc import Callable


class NotYetError(Exception):
    """A wrong answer; its text tells the learner what to look at."""


def check(judge: Callable) -> Callable[..., bool]:
    """Turn a function that raises `NotYetError` into one that prints and returns True or False."""

    @functools.wraps(judge)
    def checked(answer) -> bool:
        try:
            judge(answer)
        except NotYetError as hint:
            print(f"Not yet: {hint}")
            return False
        except Exception as error:  # the learner's own code may raise anything
            print(f"Not yet: your code stopped with {type(error).__name__}: {error}")
            return False
        print("Right!")
        return True

    return checked


def expect(condition: bool, hint: str) -> None:
    """Turn the answer down with `hint` unless `condition` holds."""
    if not condition:
        raise NotYetError(hint)


def traced(function: Callable, *args) -> tuple:
    """What the function returns, and the bytes that it held at its peak."""
    tracemalloc.start()
    try:
        answer = function(*args)
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
