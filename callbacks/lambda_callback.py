"""A callback made of functions."""

from collections.abc import Callable, Mapping
from typing import Any, Self

from .argument_error import ArgumentError
from .callback import Callback
from .parameters import parameter_names

Hook = Callable[..., Any]


class LambdaCallback(Callback):
    """A callback whose hooks are the functions given.

    Parameters
    ----------
    on_pipeline_begin, on_stage_begin, on_batch_begin, on_batch_end, on_solution, on_stage_end, \
on_exception, on_pipeline_end
        Called with the arguments of the hook of that name in `Callback`; a
        hook that is not given costs nothing.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(
        self,
        *,
        on_pipeline_begin: Hook | None = None,
        on_stage_begin: Hook | None = None,
        on_batch_begin: Hook | None = None,
        on_batch_end: Hook | None = None,
        on_solution: Hook | None = None,
        on_stage_end: Hook | None = None,
        on_exception: Hook | None = None,
        on_pipeline_end: Hook | None = None,
    ) -> None:
        super().__init__()
        hooks = {name: hook for name, hook in locals().items() if name.startswith("on_")}
        for name, hook in hooks.items():
            if hook is None:
                continue
            if not callable(hook):
                raise ArgumentError.of(name, "callable", hook)
            setattr(self, name, hook)

    def get_params(self) -> dict[str, Any]:
        """Return the functions by hook; None where there is none."""
        return {name: vars(self).get(name) for name in parameter_names(type(self))}

    def set_params(self, params: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Set functions by hook, None to have none there; otherwise as for every callback."""
        super().set_params(params, **values)
        for name, hook in values.items():
            if hook is None:
                vars(self).pop(name, None)
        return self
