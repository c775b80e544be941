"""One subset of the images in memory.

`geometry`: which image comes in which step. `shares`: the same for several processes. `ring`: the
memory. `subset`: the loader, which feeds Keras. `together`: several of them as one. `augment`:
changes of a batch. `splits`, `article`: what the article does.
"""

from importlib import import_module

# Which module each name of this package is from. They are imported when they are asked for: what
# needs no Keras should not load it.
_MODULES = {
    "Geometry": "geometry",
    "sliding_windows": "geometry",
    "times_seen": "geometry",
    "RingBuffer": "ring",
    "SlidingSubset": "subset",
    "SideBySide": "together",
    "by_layers": "augment",
    "flip_horizontally": "augment",
    "random_crops": "augment",
    "split_windows": "splits",
    "split_windows_once": "splits",
    "geometry_of_share": "shares",
    "rows_left_over": "shares",
    "rows_of_share": "shares",
    "leaked_shares": "splits",
    "expected_leaked_shares": "splits",
    "compile_as_article": "article",
    "article_loop": "article",
}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return __all__
