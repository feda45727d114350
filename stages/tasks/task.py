"""A piece of work for an executor."""

from collections.abc import Callable, Generator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from .task_group import TaskGroup
from .waiting import Beat, Counts


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work for an executor, and what becomes of its result.

    Attributes
    ----------
    function
        What runs on the executor, in another process perhaps: a function of a module.
    arguments
        Its arguments, which can be pickled: arrays and numbers, mostly.
    then
        Makes of what the function returns what the task gives, quickly and in the
        process of the stage; None for the same.
    seconds
        What it takes, roughly, by which progress moves; None where nobody can tell.
    counts
        Tells, from any thread, how much of how many the work has done, such as
        lectures placed, while it runs in the process of the stage; 0 of them where
        it runs elsewhere. None where it does not count.
    so_far
        Returns, from any thread, what the function would return if it ended now, while
        it runs in the process of the stage; None before there is any, and where it runs
        elsewhere. None where nothing can be had before its end.

    Examples
    --------
    >>> Task(max, (3, 5), then=float).run()
    5.0
    """

    __module__ = "schoolbell.stages"

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    then: Callable[[Any], Any] | None = None
    seconds: float | None = 0.1
    counts: Counts | None = None
    so_far: Callable[[], Any] | None = None

    def take(self, result: Any) -> Any:
        """Return what the task gives when its function has returned `result`."""
        return result if self.then is None else self.then(result)

    def run(self) -> Any:
        """Do the work here and now."""
        return self.take(self.function(*self.arguments))

    def wait(
        self, executor: Executor | TaskGroup, message: str | None = None
    ) -> Generator[Beat, None, Any]:
        """Yield every tenth of a second until an executor has done the work; return what it gives.

        A task that nobody waits for any more is cancelled, and one of less than a second
        is not sent to another process.
        """
        tasks = executor if isinstance(executor, TaskGroup) else TaskGroup(executor)
        try:
            result = yield from tasks.wait(
                self.function,
                *self.arguments,
                seconds=self.seconds,
                message=message,
                counts=self.counts,
            )
        finally:
            if tasks is not executor:
                tasks.close()
        return self.take(result)
