"""Anneals that tasks carry on, chunk by chunk."""

import time

from .individual import Individual
from .search import Anneal, Schedule

CHUNK_SECONDS = 0.08
CHUNK_MOVES = 200_000


class AnnealingJob:
    """An anneal on its way, measured in moves or, with a deadline, in time."""

    def __init__(self, anneal: Anneal, schedule: Schedule) -> None:
        self.anneal = anneal
        self.schedule = schedule
        self.deadline: float | None = None
        self.speed = 1e6
        self.submitted = (0.0, 0)

    def begin(self, seconds: float | None) -> None:
        if seconds is not None:
            self.deadline = time.monotonic() + seconds

    @property
    def moves_left(self) -> int:
        if self.deadline is None:
            return self.anneal.moves_left
        return int(max(self.deadline - time.monotonic(), 0.0) * self.speed)

    def next_chunk(self) -> int:
        """Return how many moves the next task makes."""
        self.submitted = (time.monotonic(), int(self.anneal.clock[4]))
        if self.deadline is None:
            return CHUNK_MOVES
        chunk = int(min(self.deadline - time.monotonic(), CHUNK_SECONDS) * self.speed)
        self.anneal.clock[0] = max(self.moves_left, chunk, 1)
        return max(chunk, 1)

    def take(self, anneal: Anneal) -> None:
        """Take the result of a task and learn its speed."""
        self.anneal = anneal
        begun, moves = self.submitted
        took = max(time.monotonic() - begun, 1e-6)
        measured = (int(anneal.clock[4]) - moves) / took
        self.speed = 0.5 * self.speed + 0.5 * measured

    def individual(self) -> Individual:
        violations, cost = (int(value) for value in self.anneal.best_total)
        return Individual(self.anneal.best_period, self.anneal.best_room, violations, cost)
