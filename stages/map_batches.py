"""A ready stage for batch processing."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Any

from .batch import Batch
from .budget import Budget
from .pulse import Pulse
from .stage import Stage
from .state import State
from .tasks.part_board import PartBoard

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
        The items, or a function that makes them of the state. An iterator, which
        gives its items only once, is read at once, so that every run has them.
    batch_size
        Items in a batch, 1 or more; the last may have fewer.
    result
        Attribute of the state where the results are left: a list of what
        `function` returned for each batch, in the order of the items, None for
        batches that were not finished when the stage was ended early.
    name, unit, share
        As for every `Stage`.

    Raises
    ------
    ValueError
        For a batch size below 1.

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

    def __init__(
        self,
        function: Callable[[Any], Any],
        items: Iterable[Any] | Callable[[State], Iterable[Any]],
        batch_size: int = 1,
        result: str = "results",
        name: str = "map",
        unit: str = "batch",
        share: float = 1.0,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function must be callable, got {function!r}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
        self.function = function
        self.items = list(items) if isinstance(items, Iterator) else items
        self.batch_size = batch_size
        self.result = result
        self.name = name
        self.unit = unit
        self.share = share

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Yield after every finished batch; what `function` raises comes with a note."""
        items = _sliceable(self.items(state) if callable(self.items) else self.items)
        starts = range(0, len(items), self.batch_size)
        results: list[Any] = [None] * len(starts)
        setattr(state, self.result, results)
        waiting = iter(range(len(starts)))
        running: dict[Future[Any], int] = {}
        board = PartBoard(len(starts)) if _is_generator(self.function) else None

        def submit(count: int) -> None:
            for _, number in zip(range(count), waiting, strict=False):
                batch = items[starts[number] : starts[number] + self.batch_size]
                function = self.function
                if board is not None:
                    function = partial(_drive, function, board, number)
                running[state.executor.submit(function, batch)] = number

        try:
            # One batch ready for every worker beside the one in hand: none of them idles.
            submit(2 * state.workers)
            yield Pulse(0.0, total=len(starts))
            done, before = 0, 0.0
            while running and not budget.should_end:
                finished, _ = wait(running, _PULSE_SECONDS, FIRST_COMPLETED)
                for future in finished:
                    number = running.pop(future)
                    results[number] = _result(future, number)
                    submit(1)
                    done += 1
                    if board is not None:
                        before = _foremost(board, running)
                    yield Batch(done, len(starts))
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
            for future in running:
                future.cancel()


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


def _sliceable(items: Iterable[Any]) -> Sequence[Any]:
    if hasattr(items, "__getitem__") and hasattr(items, "__len__"):
        return items  # pyright: ignore[reportReturnType]
    return list(items)


def _result(future: Future[Any], number: int) -> Any:
    try:
        return future.result()
    except Exception as error:
        error.add_note(f"in batch {number} of the items")
        raise
