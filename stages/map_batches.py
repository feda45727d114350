"""A ready stage for batch processing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from .batch import Batch
from .budget import Budget
from .stage import Stage
from .state import State

# How long to wait for a batch before the runner gets a turn.
_PULSE_SECONDS = 0.25


class MapBatches(Stage):
    """Call a function with batches of items, on the executor, with progress.

    Parameters
    ----------
    function
        Called with up to `batch_size` items at a time: a slice of `items`
        where they can be sliced, as lists and arrays can, otherwise a list.
        For an executor of processes it must be picklable.
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
    """

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

    def run(self, state: State, budget: Budget) -> Iterator[Batch | None]:
        """Yield after every finished batch; what `function` raises comes with a note."""
        items = _sliceable(self.items(state) if callable(self.items) else self.items)
        starts = range(0, len(items), self.batch_size)
        results: list[Any] = [None] * len(starts)
        setattr(state, self.result, results)
        waiting = iter(range(len(starts)))
        running: dict[Future[Any], int] = {}

        def submit(count: int) -> None:
            for _, number in zip(range(count), waiting, strict=False):
                batch = items[starts[number] : starts[number] + self.batch_size]
                running[state.executor.submit(self.function, batch)] = number

        try:
            # One batch ready for every worker beside the one in hand: none of them idles.
            submit(2 * state.workers)
            done = 0
            while running and not budget.should_end:
                finished, _ = wait(running, _PULSE_SECONDS, FIRST_COMPLETED)
                for future in finished:
                    number = running.pop(future)
                    results[number] = _result(future, number)
                    submit(1)
                    done += 1
                    yield Batch(done, len(starts))
                if not finished:
                    yield None
        finally:
            for future in running:
                future.cancel()


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
