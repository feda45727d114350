"""Anneals that tasks carry on, chunk by chunk."""

import time
from collections.abc import Callable
from typing import Any

from ..plain_data import as_number
from ..problem import Anneal, Breeding
from .individual import Individual

CHUNK_SECONDS = 0.08
# Chunks in the moves of a second, where moves decide.
CHUNKS_OF_A_SECOND = 40
# What is known of a speed before it was measured: so many times less than is usual.
CAUTION = 8.0


class AnnealingJob:
    """An anneal on its way, measured in moves or, with a deadline, in time.

    Parameters
    ----------
    anneal
        The anneal.
    moves_per_second
        What it does in a second, roughly.
    clock
        Tells the seconds that deadlines are on.
    """

    def __init__(
        self,
        anneal: Anneal,
        moves_per_second: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.anneal = anneal
        self.clock = clock
        self.deadline: float | None = None
        self.chunk_moves = max(1, int(moves_per_second / CHUNKS_OF_A_SECOND))
        self.speed = moves_per_second / CAUTION
        self.submitted = (0.0, 0)

    def begin(self, seconds: float | None) -> None:
        """Give the anneal so much time on its clock; None for its moves to decide."""
        if seconds is not None:
            self.deadline = self.clock() + seconds

    @property
    def moves_left(self) -> int:
        if self.deadline is None:
            return self.anneal.moves_left
        return int(max(self.deadline - self.clock(), 0.0) * self.speed)

    @property
    def seconds_left(self) -> float:
        return 0.0 if self.deadline is None else max(self.deadline - self.clock(), 0.0)

    @property
    def moves_made(self) -> int:
        return self.anneal.moves_made

    def moves_until(self, step: int, steps: int) -> int:
        """Return the moves made when so many of so many steps are done: whole chunks."""
        chunks = -(-self.anneal.moves // self.chunk_moves)
        return min(chunks * step // steps * self.chunk_moves, self.anneal.moves)

    def next_chunk(self) -> int:
        """Return how many moves the next task makes."""
        self.submitted = (time.monotonic(), self.moves_made)
        if self.deadline is None:
            return self.chunk_moves
        chunk = int(min(self.deadline - self.clock(), CHUNK_SECONDS) * self.speed)
        self.anneal.moves_left = max(self.moves_left, chunk, 1)
        return max(chunk, 1)

    def take(self, anneal: Anneal) -> None:
        """Take the result of a task and learn its speed."""
        self.anneal = anneal
        begun, moves = self.submitted
        took = max(time.monotonic() - begun, 1e-6)
        measured = (self.moves_made - moves) / took
        self.speed = 0.5 * self.speed + 0.5 * measured

    def individual(self) -> Individual:
        """Return the best solution so far, in arrays that the anneal may go on changing."""
        return Individual(*self.anneal.best)

    def state_dict(self, anneal: Anneal) -> dict[str, Any]:
        """Return where the job is with its anneal, as plain data."""
        left = None if self.deadline is None else max(self.deadline - self.clock(), 0.0)
        return {**anneal.state_dict(), "seconds_left": left, "speed": float(self.speed)}

    @classmethod
    def of_state(
        cls,
        breeding: Breeding,
        state: dict[str, Any],
        moves_per_second: float,
        clock: Callable[[], float],
    ) -> "AnnealingJob":
        """Go on where a job was, on another clock.

        Raises
        ------
        ValueError
            For what cannot be an anneal of the problem.
        """
        job = cls(breeding.load_anneal(state), moves_per_second, clock)
        job.speed = max(float(as_number(state["speed"], least=0)), 1.0)
        if state["seconds_left"] is not None:
            job.begin(float(as_number(state["seconds_left"], least=0)))
        return job
