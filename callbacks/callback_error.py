"""The error of a callback that failed."""

from typing import Any

from .argument_error import ArgumentError
from .plain_value import error_text


class CallbackError(RuntimeError):
    """A callback raised: the message names the callback and the hook, the cause is the original.

    Attributes
    ----------
    callback
        Class name of the callback.
    hook
        Name of the hook that raised.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(self, callback: str, hook: str, error: Exception) -> None:
        self.callback = callback
        self.hook = hook
        super().__init__(f"callback {callback} failed in {hook}: {error_text(error)}")

    @classmethod
    def wrapping(cls, callback: str, hook: str, error: Exception) -> "CallbackError":
        """Make one, which is an `ArgumentError` too where a check found a wrong argument."""
        if hook == "check" and isinstance(error, ValueError | TypeError):
            return _RefusedArgument(callback, hook, error)
        return cls(callback, hook, error)

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the original, which may be of a kind that cannot be pickled.
        return _restored, (type(self), str(self)), vars(self)


class _RefusedArgument(CallbackError, ArgumentError):
    """A callback's argument does not fit the run that it is to watch."""


def _restored(kind: type[CallbackError], message: str) -> CallbackError:
    error = kind.__new__(kind)
    error.args = (message,)
    return error
