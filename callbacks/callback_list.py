"""Calls the hooks of several callbacks."""

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from .callback import Callback, Logs
from .callback_error import CallbackError
from .control import Control
from .safe_warning import warn_safely
from .vocabulary import PROGRAM

Hook = Callable[..., Any]

# The callbacks of fits that go on, by identity, and the process in which they do: nothing is left
# on the callback, whose class may do without this package's constructor.
_watching: dict[int, int] = {}
_taking = threading.Lock()

HOOKS = (
    "on_pipeline_begin",
    "on_stage_begin",
    "on_batch_begin",
    "on_batch_end",
    "on_solution",
    "on_stage_end",
    "on_exception",
    "on_pipeline_end",
)


class CallbackList:
    """Several callbacks behind the hooks of one.

    Only hooks that a callback overrides are bound, once, here; so one that
    nobody overrides costs nothing. The callbacks are called in their order.

    Parameters
    ----------
    callbacks
        The callbacks.
    errors
        ``"raise"``: an exception in a callback becomes a `CallbackError`.
        ``"warn"``: it is warned of once and that callback is switched off.
    sampled
        Callbacks whose ``on_batch_end`` is not called from here, because the
        runner asks them only when they are due.

    Raises
    ------
    TypeError
        For a callback that is not a `Callback`.
    ValueError
        For one that is there twice.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(
        self,
        callbacks: Iterable[Callback] = (),
        errors: Literal["raise", "warn"] = "raise",
        sampled: Iterable[Callback] = (),
    ) -> None:
        if errors not in ("raise", "warn"):
            raise ValueError(f'errors must be "raise" or "warn", got {errors!r}')
        self.callbacks = list(callbacks)
        self._errors = errors
        self._sampled = list(sampled)
        for callback in self.callbacks:
            if isinstance(callback, type) or not isinstance(callback, Callback):
                raise TypeError(
                    f"a callback must be an instance of schoolbell.callbacks.Callback, "
                    f"got {callback!r}"
                )
        if len(set(map(id, self.callbacks))) < len(self.callbacks):
            names = [
                type(one).__name__
                for number, one in enumerate(self.callbacks)
                if any(one is other for other in self.callbacks[:number])
            ]
            raise ValueError(f"one {names[0]} is among the callbacks twice")
        self._bind()

    def _bind(self) -> None:
        self._bound = {name: tuple(self._overridden(name)) for name in HOOKS}
        self._ending: Iterator[tuple[Callback, Hook]] = iter(self._bound["on_pipeline_end"])
        #: The bound hooks of the two events on the hot path, for the runner's loop.
        self.batch_begin_hooks = self._hooks("on_batch_begin")
        self.batch_end_hooks = self._hooks("on_batch_end")

    def _overridden(self, name: str) -> Iterator[tuple[Callback, Hook]]:
        default = getattr(Callback, name)
        for callback in self.callbacks:
            hook = getattr(callback, name)
            sampled = name == "on_batch_end" and any(callback is one for one in self._sampled)
            if getattr(hook, "__func__", hook) is not default and not sampled:
                yield callback, hook

    def _hooks(self, name: str) -> tuple[Hook, ...]:
        return tuple(hook for _, hook in self._bound[name])

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Keep the callbacks to one run, for as long as that goes on.

        Raises
        ------
        RuntimeError
            For a callback that watches another run; then none is kept.
        """
        process, mine = os.getpid(), [id(one) for one in self.callbacks]
        with _taking:
            for callback in self.callbacks:
                if _watching.get(id(callback)) == process:
                    raise RuntimeError(
                        f"this {type(callback).__name__} watches a run that goes on: give each "
                        "fit callbacks of its own, or wait for the other one's end"
                    )
            _watching.update(dict.fromkeys(mine, process))
        try:
            yield
        finally:
            with _taking:
                for one in mine:
                    _watching.pop(one, None)

    def __iter__(self) -> Iterator[Callback]:
        return iter(self.callbacks)

    def __len__(self) -> int:
        return len(self.callbacks)

    def overrides(self, name: str) -> bool:
        """Tell whether any callback wants this hook."""
        return bool(self._bound[name])

    def calling(self) -> Callback | None:
        """Return the callback in whose hook the present thread is; None outside of hooks.

        It looks for the hooks in the call stack, since to note every call would
        make every batch slower.
        """
        hooks: dict[Any, list[Callback]] = {}
        for pairs in self._bound.values():
            for callback, hook in pairs:
                code = getattr(getattr(hook, "__func__", hook), "__code__", None)
                hooks.setdefault(code, []).append(callback)
        frame = sys._getframe(1)
        while frame is not None:
            found = hooks.get(frame.f_code)
            if found:
                names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
                owner = frame.f_locals.get(names[0]) if names else None
                if not isinstance(owner, Callback):
                    return found[0]
                if any(owner is one for one in found):
                    return owner
            frame = frame.f_back
        return None

    def caller(self) -> str:
        """Return who asks something at this moment, by class: a callback, or the program."""
        callback = self.calling()
        return PROGRAM if callback is None else type(callback).__name__

    def set_pipeline(self, pipeline: Control) -> None:
        """Give every callback the pipeline that it watches."""
        for callback in self.callbacks:
            callback.set_pipeline(pipeline)

    def set_params(self, params: Mapping[str, Any]) -> None:
        """Give every callback what is known before the run."""
        for callback in self.callbacks:
            callback.set_params(params)

    def check(self) -> None:
        """Let every callback find out whether it can watch the run that is about to begin."""
        for callback in list(self.callbacks):
            self._call_one(callback, callback.check, "check")

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it."""
        self._call("on_pipeline_begin", logs)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it."""
        self._call("on_stage_begin", stage, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it."""
        self._call("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it."""
        self._call("on_batch_end", batch, logs)

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it."""
        self._call("on_solution", solution, logs)

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it."""
        self._call("on_stage_end", stage, logs)

    def on_exception(self, exception: BaseException) -> None:
        """Call the hook of every callback that overrides it, also when one of them raises."""
        self._call_all(iter(self._bound["on_exception"]), "on_exception", exception)

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        """Call the hook of every callback that overrides it, also when one of them raises.

        After a KeyboardInterrupt within, calling it again goes on with the
        callbacks that were not called yet.
        """
        self._call_all(self._ending, "on_pipeline_end", logs)

    def fail(self, hook: Hook, name: str, error: Exception, *args: Any) -> None:
        """Deal with an exception that one of the bound hooks of `name` raised.

        With ``errors="warn"`` its callback is switched off, and the hooks after
        it are called with `args`; otherwise a `CallbackError` is raised.
        """
        pairs = self._bound[name]
        position = next(i for i, (_, bound) in enumerate(pairs) if bound is hook)
        self._report(pairs[position][0], name, error)
        for callback, later in pairs[position + 1 :]:
            self._call_one(callback, later, name, *args)

    def _call(self, name: str, *args: Any) -> None:
        for callback, hook in self._bound[name]:
            self._call_one(callback, hook, name, *args)

    def _call_all(self, pairs: Iterator[tuple[Callback, Hook]], name: str, *args: Any) -> None:
        first: CallbackError | None = None
        for callback, hook in pairs:
            try:
                self._call_one(callback, hook, name, *args)
            except CallbackError as error:
                if first is None:
                    first = error
                else:
                    first.add_note(f"then {error}")
        if first is not None:
            raise first

    def _call_one(self, callback: Callback, hook: Hook, name: str, *args: Any) -> None:
        try:
            hook(*args)
        except Exception as error:
            self._report(callback, name, error)

    def _report(self, callback: Callback, name: str, error: Exception) -> None:
        wrapped = CallbackError.wrapping(type(callback).__name__, name, error)
        if self._errors == "raise":
            raise wrapped from error
        if any(one is callback for one in self.callbacks):
            ending = self._ending
            self.callbacks = [one for one in self.callbacks if one is not callback]
            self._bind()
            if name == "on_pipeline_end":
                self._ending = ending
            warn_safely(f"{wrapped}; it is switched off", stacklevel=2)
