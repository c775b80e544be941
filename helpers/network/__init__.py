"""The FCN, its score on a hold-out after each round, the rounds on disk, and networks kept."""

from importlib import import_module

# Which module each name of this package is from. They are imported when they are asked for: what
# needs no Keras should not load it.
_MODULES = {
    "build_fcn": "fcn",
    "compile_fcn": "fcn",
    "bilinear_kernel": "fcn",
    "void_aware_loss": "fcn",
    "SMALL_BLOCKS": "fcn",
    "build_head": "head",
    "compile_head": "head",
    "average_answers": "averaged",
    "ScoreHoldout": "holdout",
    "SaveRounds": "checkpoints",
    "resume": "checkpoints",
    "load_kept": "kept",
}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return __all__
