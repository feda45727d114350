"""A ready stage for batch processing."""

import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from functools import partial
from itertools import count, islice
from typing import Any, ClassVar, Literal

from .batch import Batch
from .budget import Budget
from .pulse import Pulse
from .stage import Stage
from .state import State
from .tasks.part_board import PartBoard
from .tasks.task_group import TaskGroup

# How long to wait for a batch before the runner gets a turn.
_PULSE_SECONDS = 0.1


class MapBatches(Stage):
    """Call a function with batches of items, on the executor, with progress.

    Parameters
    ----------
    function
        Called with up to `batch_size` items at a time: a slice of `items`
        where they can be sliced, as lists and arrays can, otherwise a list.
        For an executor of processes it must be picklable. Where a batch takes
        long, write it as a generator that yields now and then how much of the
        batch is done, as a number from 0 to 1 or a `Pulse`, and returns the
        result: progress follows it, and when the stage is ended the batch ends
        at its next yield.
    items
        The items, or a function that makes them of the state. An iterator is read as its
        items are needed, and they are kept, so that every run has them; what a function
        returns is read so too, and not kept. The number of batches is then not known
        before all are read.
    batch_size
        Items in a batch, 1 or more; the last may have fewer.
    result
        Attribute of the state where the results are left: a list of what
        `function` returned for each batch, in the order of the items, None for
        batches that were not finished when the stage was ended early, or were
        skipped.
    name, unit, share
        As for every `Stage`.
    cost
        What a batch's result costs as a solution, which is then offered
        (`State.offer`): a key or attribute of the result, or a function of it. None for
        results that are no solutions.
    metrics
        Keys or attributes of the results that are metrics of their units.
    on_error
        ``"raise"`` lets an exception of `function` end the run, ``"skip"`` leaves its
        batch out, warns of the first, and lists all as `skipped`.

    Attributes
    ----------
    skipped
        Number and error of each batch that was left out, in the last run.

    Raises
    ------
    ValueError
        For a batch size below 1, and another `on_error`.

    Notes
    -----
    A run that is backed up and resumed does not do again what was done, where the
    results are what `Stage.saved` may name.

    Examples
    --------
    >>> from schoolbell.runner import Pipeline
    >>> stage = MapBatches(sum, range(100), batch_size=25)
    >>> Pipeline([stage]).fit(verbose=False).state.results
    [300, 925, 1550, 2175]

    A function that tells how far it is within a batch:

    >>> def add(batch):
    ...     total = 0
    ...     for count, number in enumerate(batch, start=1):
    ...         total += number
    ...         yield count / len(batch)
    ...     return total
    >>> stage = MapBatches(add, range(100), batch_size=25)
    >>> Pipeline([stage]).fit(verbose=False).state.results
    [300, 925, 1550, 2175]
    """

    __module__ = "schoolbell.stages"

    saved: ClassVar[tuple[str, ...]] = ("finished", "skipped")

    def __init__(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any] | Callable[[State], Iterable[Any]],
        batch_size: int = 1,
        result: str = "results",
        name: str = "map",
        unit: str = "batch",
        share: float = 1.0,
        cost: str | Callable[[Any], Any] | None = None,
        metrics: Sequence[str] = (),
        on_error: Literal["raise", "skip"] = "raise",
    ) -> None:
        if not callable(function):
            raise TypeError(f"function must be callable, got {function!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
        if on_error not in ("raise", "skip"):
            raise ValueError(f'on_error must be "raise" or "skip", got {on_error!r}')
        self.function = function
        self.items = _Kept(items) if isinstance(items, Iterator) else items
        self.batch_size = batch_size
        self.result = result
        self.leaves = (result,)
        self.name = name
        self.unit = unit
        self.share = share
        self.cost = cost
        # A string stays one: the run refuses it.
        names: Any = metrics if isinstance(metrics, str) else tuple(metrics)
        self.metrics = names
        self.on_error: Literal["raise", "skip"] = on_error
        self.finished: dict[int, Any] = {}
        self.skipped: list[tuple[int, str]] = []

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Yield after every finished batch; what `function` raises comes with a note."""
        items = self.items(state) if callable(self.items) else self.items
        by_part = _is_generator(self.function)
        if by_part and not isinstance(items, Sized):
            # Each has a place of its own on the board.
            items = list(items)
        if not self.finished:
            self.skipped = []
        total = -(-len(items) // self.batch_size) if isinstance(items, Sized) else None
        results: list[Any] = [None] * (total or 0)
        setattr(state, self.result, results)
        waiting = enumerate(_batches(items, self.batch_size))
        running: dict[Future[Any], int] = {}
        board = PartBoard(total) if by_part and total is not None else None
        tasks = TaskGroup(state.executor)

        def submit(wanted: int) -> bool:
            """Submit batches; return whether there are no more."""
            while wanted:
                number, batch = next(waiting, (None, None))
                if number is None:
                    return True
                if number == len(results):
                    results.append(None)
                results[number] = self.finished.get(number)
                if number in self.finished:
                    continue
                function = self.function
                if board is not None:
                    function = partial(_drive, function, board, number)
                running[tasks.submit(function, batch)] = number
                wanted -= 1
            return False

        try:
            # One batch ready for every worker beside the one in hand: none of them idles.
            over = submit(2 * state.workers)
            before = 0.0
            yield Pulse(0.0, total=len(results) if over else total)
            while running and not budget.should_end:
                finished, _ = wait(running, _PULSE_SECONDS, FIRST_COMPLETED)
                for future in finished:
                    number = running.pop(future)
                    results[number] = result = self._result(future, number)
                    self.finished[number] = result
                    over = submit(1) or over
                    if board is not None:
                        before = _foremost(board, running)
                    logs = self._take(state, result, number)
                    yield Batch(len(self.finished), len(results) if over else total, logs)
                if board is not None:
                    # The batch that will be finished next was begun before the last one was: from
                    # there to its end is this unit.
                    part = (_foremost(board, running) - before) / max(1.0 - before, 1e-9)
                    yield Pulse(min(max(part, 0.0), 1.0))
                elif not finished:
                    yield None
        finally:
            if board is not None:
                board.close()
            tasks.close()
            self.finished = {}

    def _result(self, future: Future[Any], number: int) -> Any:
        try:
            return future.result()
        except Exception as error:
            error.add_note(f"in batch {number} of the items")
            if self.on_error == "raise":
                raise
            told = f"{type(error).__name__}: {error}"
            if not self.skipped:
                message = f"batch {number} of stage {self.name!r} is skipped: {told:.200}"
                with suppress(Warning):
                    warnings.warn(message, RuntimeWarning, stacklevel=3)
            self.skipped.append((number, told))
            return None

    def _take(self, state: State, result: Any, number: int) -> dict[str, Any] | None:
        """Offer a result if it is a solution, and return its metrics."""
        if self.skipped and self.skipped[-1][0] == number:
            return None
        if self.cost is not None:
            cost = self.cost(result) if callable(self.cost) else _part_of(result, self.cost)
            if cost is not None:
                state.offer(result, cost)
        return {name: _part_of(result, name) for name in self.metrics or ()} or None


def _is_generator(function: Callable[[Any], Any]) -> bool:
    while isinstance(function, partial):
        function = function.func
    return inspect.isgeneratorfunction(function) or inspect.isgeneratorfunction(
        getattr(function, "__call__", None)  # noqa: B004 - its kind, not whether there is one
    )


def _drive(function: Callable[[Any], Any], board: PartBoard, number: int, batch: Any) -> Any:
    """Run a function that yields how far it is with a batch; return what it returns."""
    steps = function(batch)
    try:
        while not board.stopped:
            step = next(steps)
            part = step.part if isinstance(step, Pulse) else Pulse(step).part
            if part is not None:
                board.tell(number, part)
    except StopIteration as end:
        return end.value
    finally:
        steps.close()
    return None


def _foremost(board: PartBoard, running: dict[Future[Any], int]) -> float:
    return max((board[number] for number in running.values()), default=0.0)


def _batches(items: Iterable[Any], size: int) -> Iterator[Any]:
    """Cut items into batches, as they come."""
    if isinstance(items, Sized) and hasattr(items, "__getitem__"):
        sliceable: Any = items
        yield from (sliceable[start : start + size] for start in range(0, len(items), size))
        return
    stream = iter(items)
    while batch := list(islice(stream, size)):
        yield batch


def _part_of(result: Any, name: str) -> Any:
    return result[name] if isinstance(result, Mapping) else getattr(result, name)


class _Kept:
    """What an iterator gives, read when it is needed and kept for the next time."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self._read: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        for number in count():
            if number == len(self._read):
                try:
                    self._read.append(next(self._items))
                except StopIteration:
                    return
            yield self._read[number]

    def __repr__(self) -> str:
        return f"{type(self._items).__name__} of items"

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
