"""Runs a loop as if it were a pipeline."""

import inspect
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, TypeVar

from ...callbacks import BackupAndRestore, Callback
from ...callbacks.names import did_you_mean
from ..fit_arguments import checked_callbacks
from ..pipeline import Pipeline
from .tracked_loop import TrackedLoop

Item = TypeVar("Item")


def track(
    iterable: Iterable[Item] | AsyncIterable[Item],
    callbacks: Sequence[Callback] | Callback | None = None,
    *,
    total: int | None = None,
    unit: str = "item",
    name: str | None = None,
    time_limit: float | None = None,
    resume: bool = False,
    **fit_options: Any,
) -> TrackedLoop[Item]:
    """Iterate with progress and callbacks: a loop as a run of one stage, in its own thread.

    ``for x in track(items): ...`` shows how far the loop is. With callbacks, and a name
    for what it returns, the body tells what it has found::

        for x in (t := track(items, callbacks=[CSVLogger("log.csv")])):
            t.log(cost=cost_of(x), solution=x, lr=0.1)
        print(t.run.summary())

    Each item is a unit: hooks are called, a backup is saved and a pause waits between two
    items. A stop, a `Timer` and the end of the time end the loop after the item in hand, as
    if there were no more items. ``break`` stops the run (by ``"program"``), an exception
    in the body fails it and Ctrl-C interrupts it; the callbacks have been told when the
    exception, or KeyboardInterrupt, arrives where the loop stands. ``async for`` does the
    same with asynchronous iterables. In the midst of an item that a ``break`` leaves, what
    was logged counts, and so does the item.

    Parameters
    ----------
    iterable
        What to iterate. It is iterated once, when the loop asks for an item.
    callbacks
        Who watches, as for `Pipeline.fit`.
    total
        Number of items; ``len(iterable)`` by default, where it has one.
    unit
        What an item is called, in the singular.
    name
        What to call the loop in displays; ``"loop"`` by default.
    time_limit
        Seconds after which no further item is begun.
    resume
        Whether a run that was backed up by a `BackupAndRestore` among the callbacks, and
        killed, goes on behind the last item that was saved: those before are taken from
        the iterable and not given to the loop. What the loop itself needs to go on it
        keeps in `TrackedLoop.saved`.
    **fit_options
        Further arguments of `Pipeline.fit` (``verbose``, ``seed``, ``job_id``), and the
        ``goal`` of a `Pipeline`.

    Returns
    -------
    TrackedLoop
        To be iterated once; its ``run`` is the run.

    Raises
    ------
    TypeError
        For what cannot be iterated, and for an unknown option.
    ValueError
        For ``resume=True`` without a `BackupAndRestore`.

    Examples
    --------
    >>> for x in (t := track(range(5), verbose=False)):
    ...     t.log(cost=(x - 3) ** 2, solution=x)
    >>> t.run.solution, t.run.status, t.run.history["done"][-1]
    (3, 'finished', 5)
    """
    if not isinstance(iterable, Iterable | AsyncIterable) and not hasattr(iterable, "__getitem__"):
        raise TypeError(f"track needs something to iterate, got {iterable!r:.80}")
    known = [*inspect.signature(Pipeline.fit).parameters, "goal"][1:]
    for option in fit_options:
        if option not in known:
            raise TypeError(f"track has no argument {option!r}{did_you_mean(option, known)}")
    watchers = checked_callbacks(callbacks)
    if resume and not any(isinstance(one, BackupAndRestore) for one in watchers):
        raise ValueError("resume=True needs a BackupAndRestore among the callbacks")
    options = {"time_limit": time_limit, **fit_options}
    return TrackedLoop(iterable, watchers, total, unit, name, resume, options)
