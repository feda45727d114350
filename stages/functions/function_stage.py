"""A stage that is a function."""

import asyncio
import copy
import importlib
import inspect
import signal
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from functools import partial
from types import CodeType, FunctionType
from typing import Any, ClassVar

from ..batch import Batch
from ..budget import Budget
from ..plain_data import shown
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.aside import Aside
from .report import Report
from .stage_ended import StageEnded

# Longest time without a yield while the function is silent.
_PULSE = 0.1
# Seconds that a function has for its end when the stage has ended, before it is left behind.
_PATIENCE = 0.5

Item = Batch | Pulse | None


class FunctionStage(Stage):
    """A stage that calls a function with a `Report`; made by `as_stage`.

    Parameters
    ----------
    function, unit, metrics, name, share, needs, leaves
        As for `as_stage`.
    """

    tunable: ClassVar[tuple[str, ...] | None] = ()

    def __init__(
        self,
        function: Callable[[Report], Any],
        unit: str = "step",
        metrics: Sequence[str] | None = None,
        name: str | None = None,
        share: float = 1.0,
        needs: Sequence[str] = (),
        leaves: Sequence[str] = (),
    ) -> None:
        _check(function)
        self.function = function
        self.unit = unit
        self.metrics = _names(metrics)
        self.name = _name_of(function) if name is None else name
        self.share = share
        self.needs, self.leaves = _names(needs), _names(leaves)
        #: What the function keeps as ``report.saved``.
        self.kept: dict[str, Any] = {}
        self._report: Report | None = None
        self._loaded: dict[str, Any] | None = None
        # What a generator has reported and the runner has not taken yet.
        self._waiting: list[Batch | Pulse] = []
        self._warned = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function, as if it were no stage."""
        return self.function(*args, **kwargs)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Under the name of a function that it decorates stands the stage: pickling the
        # function would not find it there.
        module, name = self.function.__module__, getattr(self.function, "__qualname__", None)
        if name is not None:
            with suppress(ImportError, AttributeError):
                if _find(module, name) is self:
                    return _find, (module, name)
        return super().__reduce_ex__(protocol)

    def __copy__(self) -> "FunctionStage":
        new = type(self).__new__(type(self))
        vars(new).update(vars(self))
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> "FunctionStage":
        new = memo[id(self)] = type(self).__new__(type(self))
        vars(new).update(copy.deepcopy(vars(self), memo))
        return new

    def run(self, state: State, budget: Budget) -> Iterator[Item]:
        """Call the function, and yield what it reports."""
        loaded, self._loaded = self._loaded, None
        if loaded is None:
            self.kept, loaded = {}, {"done": 0, "total": None}
        saved, done, total = self.kept, loaded["done"], loaded["total"]
        # A run that is backed up has said at its beginning of what keeps no state.
        self._waiting, self._warned = [], not self.keeps_state
        work = self._run_here if _is_generator(self.function) else self._run_aside
        try:
            yield from work(lambda take: Report(state, budget, take, saved, done, total))
        finally:
            self._report = None

    def _run_here(self, make: Callable[[Callable[..., Any]], Report]) -> Iterator[Item]:
        """Run a generator in the runner's own thread."""
        report = self._report = make(self._waiting.append)
        stream = self.function(report)
        try:
            for item in stream:
                told = bool(self._waiting)
                yield from self._reported()
                if item is not None or not told:
                    yield item
        except StageEnded:
            pass
        finally:
            report._finish()
            stream.close()
        yield from self._reported()

    def _reported(self) -> Iterator[Item]:
        while self._waiting:
            yield self._waiting.pop(0)

    def _run_aside(self, make: Callable[[Callable[..., Any]], Report]) -> Iterator[Item]:
        """Run a function in a thread of its own."""
        aside: Aside[Batch | Pulse] = Aside(lambda _: self._work(report), f"schoolbell-{self.name}")
        report = self._report = make(aside.hand_over)
        report.budget.on_end(aside.wake)
        try:
            aside.start()
            for item in aside.items(_PULSE):
                if item is None:
                    _take_back_ctrl_c()
                yield item
        finally:
            # A KeyboardInterrupt comes here before anybody else has heard of the end.
            report.budget.end()
            # What it finds in this time still counts.
            ended = aside.close(_PATIENCE)
            _take_back_ctrl_c()
            if ended:
                aside.raise_error()
            else:
                report._close()
                self._leave_behind()

    def _work(self, report: Report) -> None:
        try:
            made = self.function(report)
            if inspect.isawaitable(made) or inspect.isasyncgen(made):
                asyncio.run(_drive(made, report))
            elif inspect.isgenerator(made):
                _exhaust(made, report)
        except BaseException as error:
            if not (report.should_end and _is_of_the_end(error)):
                raise
        finally:
            report._finish()

    def _leave_behind(self) -> None:
        self._warn(
            f"the function of stage {self.name!r} has neither ended nor reported within "
            f"{_PATIENCE:g} s of the stage's end and is left behind, at work in its thread: let it "
            "report more often, or give report.on_end a function that ends it"
        )

    def _warn(self, message: str) -> None:
        # Whoever has warnings raised must not lose the run.
        with suppress(Warning):
            warnings.warn(message, RuntimeWarning, stacklevel=3)

    @property
    def saved(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Names of what a backup holds: nothing where the function keeps nothing."""
        # In the midst of several reports at once, it is ahead of the one in hand.
        nothing = self._waiting or (self._report is not None and not self.kept)
        return () if nothing else ("kept",)

    @property
    def keeps_state(self) -> bool:
        """Whether a resumed run may go on within the function, which then names ``saved``."""
        return _names_saved(self.function)

    def state_dict(self) -> dict[str, Any]:
        """Return where the function stands."""
        report = self._report
        if report is None or self._waiting:
            return {}
        if not self.kept:
            if not self._warned:
                self._warned = True
                self._warn(
                    f"the function of stage {self.name!r} keeps nothing in report.saved: a run "
                    "that is killed within it and resumed begins it again"
                )
            return {}
        done, total = report.place
        return {"done": done, "total": total}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned."""
        if not state:
            self._loaded = None
            return
        if set(state) != {"done", "total"}:
            raise ValueError(f"expected done and total, got {shown(sorted(state))}")
        self._loaded = state


def _names_saved(function: Any) -> bool:
    """Tell whether a function, or one of its module that it calls, may use ``report.saved``."""
    function = inspect.unwrap(function)
    while isinstance(function, partial):
        function = function.func
    function = getattr(function, "__func__", function)
    if not isinstance(function, FunctionType):
        # What is behind it is not seen.
        return True
    seen: set[Any] = set()
    enclosed = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    waiting: list[Any] = [
        one.__code__ for one in (function, *enclosed) if isinstance(one, FunctionType)
    ]
    while waiting:
        code = waiting.pop()
        seen.add(code)
        if "saved" in code.co_names or "saved" in code.co_consts:
            return True
        called = (function.__globals__.get(name) for name in code.co_names)
        others = [one.__code__ for one in called if isinstance(one, FunctionType)]
        others += [one for one in code.co_consts if isinstance(one, CodeType)]
        waiting += [one for one in others if one not in seen]
    return False


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _check(function: Any) -> None:
    if isinstance(function, Stage):
        raise TypeError(f"it is a stage already: {function!r}")
    if not callable(function):
        raise TypeError(
            f"function must be callable with one argument, a report, got {shown(function)}"
        )
    try:
        inspect.signature(function).bind(None)
    except ValueError:
        # Some that are written in C do not tell.
        return
    except TypeError as error:
        raise TypeError(
            f"function must be callable with one argument, a report, and {shown(function)} is "
            f"not: {error}"
        ) from None


def _name_of(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return name if name.isidentifier() else "function"


def _names(metrics: Any) -> Any:
    """Return names as a tuple; a text, which `Pipeline` refuses, as it is."""
    return metrics if metrics is None or isinstance(metrics, str) else tuple(metrics)


def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isgeneratorfunction(
        getattr(function, "__call__", None)  # noqa: B004 - its kind, not whether there is one
    )


def _find(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _take_back_ctrl_c() -> None:
    """Have SIGINT handled by Python again, where a library has put a handler in C in its place.

    CP-SAT does from whatever thread it solves in: a Ctrl-C then aborts the process, and
    after the solve it ends it, whatever Python believes its handler to be.
    """
    if threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            signal.signal(signal.SIGINT, handler)


def _exhaust(items: Generator[Any, Any, Any], report: Report) -> None:
    """Run a generator that a function has returned, in the function's thread."""
    try:
        for item in items:
            _hand_on(item, report)
    finally:
        items.close()


def _hand_on(item: Any, report: Report) -> None:
    if isinstance(item, Batch):
        report(item.done, item.total, **(item.logs or {}))
    elif isinstance(item, Pulse):
        report.pulse(item.part, item.message, item.total)
    elif item is None:
        report.pulse()
    else:
        raise TypeError(f"a stage must yield Batch objects, Pulse objects or None, got {item!r}")


async def _drive(made: Any, report: Report) -> None:
    """Await what a function has returned; at the stage's end it is cancelled."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(_awaited(made, report))

    def cancel() -> None:
        if not report.ends_itself:
            # The loop may be closed already.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

    report._call_at_end(cancel)
    await task


async def _awaited(made: Any, report: Report) -> None:
    if inspect.isasyncgen(made):
        async for item in made:
            _hand_on(item, report)
    else:
        await made


def _is_of_the_end(error: BaseException | None) -> bool:
    """Tell whether an exception is what a function was ended with, or was made of that."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, StageEnded | asyncio.CancelledError):
            return True
        if isinstance(error, BaseExceptionGroup):
            return all(map(_is_of_the_end, error.exceptions))
        # A library may raise one of its own instead.
        error = error.__cause__
    return False
