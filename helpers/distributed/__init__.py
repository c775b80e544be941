"""Several processes that train one network: windows over shares, on Keras' own `distribution`.

`meeting`: all are there. `group`: who takes part, and what they tell each other. `rounds`: scores
and checkpoints of all together. `train`: what each process does. `local`: several of them on this
machine. `worker`: one of them, on any machine.
"""

from importlib import import_module

# They are imported when they are asked for: who starts processes needs no Keras itself.
_MODULES = {
    "Group": "group",
    "join": "group",
    "ScoreTogether": "rounds",
    "SaveTogether": "rounds",
    "resume_together": "rounds",
    "train_share": "train",
    "ProcessFailed": "local",
    "launch": "local",
}
__all__ = sorted(_MODULES)


def __getattr__(name):
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__():
    return __all__
