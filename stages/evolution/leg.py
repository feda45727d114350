"""A stretch of an anneal that a worker in another process makes at one go."""

import pickle
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..problem import Anneal
from .annealing_job import AnnealingJob

# A leg ends with the first chunk after so long: on the machine of the run, where it
# leaves what it has and hears when nobody waits for it any more, and elsewhere.
LEG_SECONDS, BLIND_LEG_SECONDS = 4.0, 1.0
# How often it leaves what it has, and what part of its time that may take.
TELLING_SECONDS, TELLING_PART = 0.4, 0.02


class Settings(NamedTuple):
    """What of a `Cooling` may change while an anneal is on its way."""

    end: float
    kempe: float
    violation: float


class Point(NamedTuple):
    """Where an anneal is, and its moves in a second."""

    anneal: Anneal
    speed: float


@dataclass(frozen=True, slots=True)
class Leg:
    """What a worker is asked to do with an anneal.

    Attributes
    ----------
    settings
        How it cools.
    chunk_moves
        Moves of a chunk, where moves decide.
    speed
        Moves in a second, where time decides.
    ends
        Moves made, in all, at which the anneal is to be told of; the leg ends at the last.
        None where time decides.
    seconds
        What is left of the anneal's time.
    name
        Where the points are left: files that begin so, in a folder of the run's machine.
    """

    settings: Settings
    chunk_moves: int
    speed: float
    ends: tuple[int, ...] | None
    seconds: float
    name: str


def run_leg(anneal: Anneal, leg: Leg) -> list[Point]:
    """Carry an anneal on, chunk by chunk as `Evolution` does in its own process.

    Returns
    -------
    list of Point
        Those that were not left in the folder: all of them on another machine.
    """
    began = told = time.monotonic()
    job = AnnealingJob(anneal, leg.speed)
    job.chunk_moves, job.speed = leg.chunk_moves, leg.speed
    if leg.ends is None:
        job.begin(leg.seconds)
    ends = list(leg.ends or ())
    folder = Path(leg.name).parent
    # Once something could not be left, a disk being full, all comes with the answer, in order.
    is_here = leaves = folder.exists()
    kept: list[Point] = []
    count, pause = 0, TELLING_SECONDS
    while True:
        job.anneal.change(*leg.settings)
        job.take(job.anneal.chunk(job.next_chunk()).run())
        now = time.monotonic()
        if is_here and not folder.exists():
            # Nobody waits for it any more.
            return []
        over = now - began >= (LEG_SECONDS if is_here else BLIND_LEG_SECONDS)
        over = over or (is_here and stop_file(leg.name).exists())
        at_end = bool(ends) and job.moves_made >= ends[0]
        while ends and job.moves_made >= ends[0]:
            ends.pop(0)
        over = over or (not ends if leg.ends is not None else job.moves_left <= 0)
        if not (over or at_end or (is_here and now - told >= pause)):
            continue
        point = Point(job.anneal, job.speed)
        leaves = leaves and _leave(point, f"{leg.name}-{count}")
        if leaves:
            count += 1
        elif over or at_end:
            # Pickled now: the anneal goes on in the same arrays.
            kept.append(pickle.loads(pickle.dumps(point)))
        told = time.monotonic()
        pause = max(TELLING_SECONDS, (told - now) / TELLING_PART)
        if over:
            return kept


def points_left(name: str, first: int) -> list[Point]:
    """Take what a leg has left in its folder, from a number on."""
    points: list[Point] = []
    while True:
        path = Path(f"{name}-{first + len(points)}")
        try:
            content = path.read_bytes()
        except OSError:
            return points
        path.unlink(missing_ok=True)
        # From this run's own worker, by a folder that only its user can write to.
        points.append(pickle.loads(content))


def stop_file(name: str) -> Path:
    """Return what is there when nobody wants the rest of a leg any more."""
    return Path(f"{name}.stop")


def _leave(point: Point, path: str) -> bool:
    try:
        Path(f"{path}.new").write_bytes(pickle.dumps(point, pickle.HIGHEST_PROTOCOL))
        Path(f"{path}.new").replace(path)
    except OSError:
        return False
    return True
