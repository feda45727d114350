"""Multi-stage optimisation run the way Keras trains a model, and timetables made with it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .moved import find_moved_modules

if TYPE_CHECKING:
    # They stand beside this package once it is installed, in the checkout they do not.
    from . import callbacks, runner, stages
    from .callbacks import Callback
    from .runner import Pipeline, timetabling_pipeline, university_pipeline
    from .stages import Batch, Stage

    __version__: str

__all__ = [
    "Batch",
    "Callback",
    "Pipeline",
    "Stage",
    "__version__",
    "callbacks",
    "runner",
    "stages",
    "timetabling_pipeline",
    "university_pipeline",
]

_PACKAGES = {
    "Batch": "stages",
    "Callback": "callbacks",
    "Pipeline": "runner",
    "Stage": "stages",
    "timetabling_pipeline": "runner",
    "university_pipeline": "runner",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = import_module("importlib.metadata").version(__name__)
    elif name in _PACKAGES:
        value = getattr(import_module(f".{_PACKAGES[name]}", __name__), name)
    elif name in __all__:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


find_moved_modules()
