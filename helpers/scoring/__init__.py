"""One confusion matrix over the data set, and every score from it."""

from importlib import import_module

# Which module each name of this package is from. They are imported when they are asked for: what
# needs no Keras should not load it.
_MODULES = {
    "confusion_matrix": "matrix",
    "scores": "matrix",
    "averages": "matrix",
    "predict_masks": "predict",
    "evaluate": "predict",
    "evaluate_native": "predict",
    "iou_by_object_size": "objects",
    "count_objects": "objects",
    "object_areas": "objects",
}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return __all__
