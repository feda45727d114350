"""The error of a callback that failed."""

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

    def __init__(self, callback: str, hook: str, error: Exception) -> None:
        self.callback = callback
        self.hook = hook
        super().__init__(f"callback {callback} failed in {hook}: {error_text(error)}")
