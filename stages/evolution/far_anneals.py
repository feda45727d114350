"""The anneals of a generation in other processes."""

import pickle
from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass, field

from ..tasks.task_group import TaskGroup
from .annealing_job import AnnealingJob
from .leg import Leg, Point, Settings, points_left, run_leg, stop_file

# Steps that a leg may lead over: more than it comes to.
MOST_AHEAD = 64


@dataclass
class _Running:
    """A leg on its way, or whose points are not all taken."""

    future: Future[list[Point]]
    leg: Leg
    ready: deque[Point] = field(default_factory=deque)
    taken: int = 0
    over: bool = False

    def look(self) -> None:
        """Take in what the worker has left."""
        if self.over:
            return
        # In this order: what is there when it has ended is all.
        over = self.future.done()
        found = points_left(self.leg.name, self.taken)
        self.taken += len(found)
        self.ready.extend(found)
        if over:
            self.ready.extend(self.future.result())
            self.over = True

    def throw_away(self) -> None:
        """Let the worker end."""
        self.future.cancel()
        with suppress(OSError):
            stop_file(self.leg.name).touch()


class FarAnneals:
    """Sends anneals away for some seconds at a time, and takes what comes back in order.

    Each leg leads over several steps, so that the anneals are ahead of the evolution.
    What was made ahead with settings that have changed since is thrown away.

    Parameters
    ----------
    group
        The tasks of the run.
    workers
        Legs on their way at the same time.
    """

    def __init__(self, group: TaskGroup, workers: int) -> None:
        self._group = group
        self._workers = workers
        self._running: dict[int, _Running] = {}
        self._legs = 0
        # Steps that a leg leads over at most: few where the settings change ever again.
        self._ahead = MOST_AHEAD

    @staticmethod
    def can_take(job: AnnealingJob) -> bool:
        """Tell whether an anneal can be sent."""
        try:
            pickle.dumps(job.anneal)
        except Exception:
            return False
        return True

    def forget(self) -> None:
        """Begin with another brood."""
        self._running.clear()

    @property
    def is_full(self) -> bool:
        """Whether every worker has a leg."""
        return sum(not one.over for one in self._running.values()) >= self._workers

    def check(self, job: AnnealingJob, settings: Settings) -> None:
        """Throw away what is on its way with other settings.

        Where time decides, they count from the next leg on.
        """
        running = self._running.get(id(job))
        if running and running.leg.settings != settings and running.leg.ends is not None:
            running.throw_away()
            del self._running[id(job)]
            self._ahead = max(1, self._ahead // 4)

    def has_more(self, job: AnnealingJob) -> bool:
        """Tell whether more is to come of an anneal without another leg."""
        running = self._running.get(id(job))
        return running is not None and (bool(running.ready) or not running.over)

    def submit(self, job: AnnealingJob, ends: Sequence[int] | None, settings: Settings) -> None:
        """Send an anneal on, over several ends of steps or for the time that is left to it."""
        self._legs += 1
        self._ahead = min(2 * self._ahead, MOST_AHEAD)
        leg = Leg(
            settings,
            job.chunk_moves,
            job.speed,
            None if ends is None else tuple(ends[: self._ahead]),
            job.seconds_left,
            str(self._group.folder / f"leg-{self._legs}"),
        )
        self._running[id(job)] = _Running(self._group.submit(run_leg, job.anneal, leg), leg)

    def take(self, job: AnnealingJob, end: int | None) -> bool:
        """Let an anneal go on to what has come of it, no further than to an end."""
        running = self._running.get(id(job))
        if running is None:
            return False
        running.look()
        before = job.anneal
        while running.ready and (end is None or job.moves_made < end):
            point = running.ready.popleft()
            job.anneal, job.speed = point
        return job.anneal is not before

    def wait(self, seconds: float) -> None:
        """Wait until a leg has ended, but not longer."""
        pending = [one.future for one in self._running.values() if not one.over]
        if pending:
            wait(pending, seconds, FIRST_COMPLETED)
