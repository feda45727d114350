"""A pipeline of jobs that are over soon: sums of random numbers, and a timetable at last."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from schoolbell.runner import Pipeline, university_pipeline
from schoolbell.runner.service import Settings
from schoolbell.stages import Batch, Stage


class Number:
    """A solution that is a number; it can be written and saved."""

    def __init__(self, value: int) -> None:
        self.value = value

    def write(self, path: Any) -> None:
        Path(path).write_text(f"{self.value}\n")


def _gate(number: int) -> Path:
    """The file that lets a stage go on which holds at a unit."""
    return Settings.from_environment().folder / f"go-{number}"


class Sums(Stage):
    """Looks for small numbers, a unit every so many seconds.

    Before the unit `hold_at` it waits for a file ``go-NUMBER`` in the service's folder.
    """

    name, unit = "sums", "sum"
    saved = ("unit_done",)

    def __init__(
        self,
        units: int = 20,
        seconds: float = 0.02,
        kill_at: int = -1,
        hold_at: int = -1,
        megabytes: int = 0,
    ) -> None:
        self.units = units
        self.seconds = seconds
        self.kill_at = kill_at
        self.hold_at = hold_at
        self.megabytes = megabytes
        self.unit_done = 0

    def restore(self, state: Any, budget: Any) -> Iterator[Any]:
        state.pack_solutions(lambda one: {"value": one.value}, lambda told: Number(told["value"]))
        yield

    def run(self, state: Any, budget: Any) -> Iterator[Batch | None]:
        yield from self.restore(state, budget)
        bytearray(self.megabytes << 20)
        while self.unit_done < self.units:
            if self.unit_done == self.kill_at:
                os._exit(9)
            while self.unit_done == self.hold_at and not _gate(self.hold_at).exists():
                time.sleep(0.02)
                yield None
            time.sleep(self.seconds)
            chance = np.random.default_rng([state.seed, self.unit_done])
            value = int(chance.integers(1_000_000))
            state.offer(Number(value), value, 0)
            self.unit_done += 1
            yield Batch(self.unit_done, self.units)


def sums(formulation: str) -> Pipeline:
    """The pipeline of a job."""
    return Pipeline([Sums()])


def harmful(formulation: str) -> Pipeline:
    """The same, but it comes to harm as it is made, as by a hostile file."""
    if formulation == "UD3":
        bytearray(4 << 30)
    elif formulation == "UD4":
        os.kill(os.getpid(), signal.SIGKILL)
    return sums(formulation)


class Timetables(Sums):
    """Improves a timetable by chance."""

    saved = ()

    def restore(self, state: Any, budget: Any) -> Iterator[Any]:
        yield from ()

    def run(self, state: Any, budget: Any) -> Iterator[Batch | None]:
        from schoolbell.stages.timetable import Instance, Solution, evaluate

        instance = Instance.read(state.problem)
        courses = np.repeat(
            np.arange(instance.n_courses), [course.lectures for course in instance.courses]
        )
        rng = np.random.default_rng(state.seed)
        for unit in range(self.units):
            time.sleep(self.seconds)
            periods = rng.integers(instance.n_periods, size=len(courses))
            rooms = rng.integers(instance.n_rooms, size=len(courses))
            solution = Solution(instance, courses, periods, rooms)
            found = evaluate(solution, "UD2")
            state.offer(solution, found.cost, found.violations)
            yield Batch(unit + 1, self.units)


def timetables(formulation: str) -> Pipeline:
    """The pipeline of a job that can be looked at for long."""
    return Pipeline([Timetables(units=12_000, seconds=0.05)])


def university() -> Pipeline:
    """The pipeline of a university, with budgets that are spent soon."""
    cp_sat = {"effort": 0.05, "starts": 1, "whole_effort": 0.5}
    ga = {"generations": 3, "founder_moves": 2_000, "child_moves": 1_000}
    return university_pipeline(cp_sat=cp_sat, ga=ga, rl=None)


class Additions(Stage):
    """Adds numbers for so many seconds; its cost is how often it has.

    With a gate it leaves a file ``ready-GATE-PROCESS`` in the service's folder first, and waits
    for ``go-GATE`` there, so that many begin together.
    """

    name, unit = "additions", "addition"

    def __init__(self, seconds: float = 1.0, gate: int = -1) -> None:
        self.seconds = seconds
        self.gate = gate

    def run(self, state: Any, budget: Any) -> Iterator[Batch | None]:
        if self.gate >= 0:
            _gate(self.gate).with_name(f"ready-{self.gate}-{os.getpid()}").touch()
            while not _gate(self.gate).exists():
                time.sleep(0.02)
                yield None
        began, count = time.monotonic(), 0
        while time.monotonic() - began < self.seconds:
            sum(range(20_000))
            count += 1
            yield Batch(count, None)
        state.offer(Number(count), count, 0)


def additions(formulation: str) -> Pipeline:
    """The pipeline of a job that is busy."""
    return Pipeline([Additions()])
