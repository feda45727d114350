"""Instances for the tests of the stages."""

import numpy as np
import pytest
from schoolbell.stages.timetable import Course, Curriculum, Instance, Room


def small_instance(seed: int = 3) -> Instance:
    """A crowded instance that has something to say about every constraint."""
    rng = np.random.default_rng(seed)
    courses = [
        Course(
            id=f"c{i}",
            teacher=f"t{i % 9}",
            lectures=int(rng.integers(1, 6)),
            min_working_days=int(rng.integers(1, 4)),
            students=int(rng.integers(5, 90)),
            double_lectures=bool(i % 2),
        )
        for i in range(18)
    ]
    rooms = [Room(f"r{i}", int(20 + 15 * i), str(i % 3)) for i in range(5)]
    curricula = []
    for q in range(9):
        members = rng.choice(18, size=int(rng.integers(2, 5)), replace=False)
        curricula.append(Curriculum(f"q{q}", tuple(f"c{i}" for i in members)))
    curricula.append(Curriculum("q_again", curricula[0].courses))
    barred = {
        (f"c{rng.integers(18)}", int(rng.integers(5)), int(rng.integers(4))) for _ in range(25)
    }
    unsuitable = {(f"c{rng.integers(18)}", f"r{rng.integers(5)}") for _ in range(20)}
    return Instance(
        "small",
        5,
        4,
        courses,
        rooms,
        curricula,
        sorted(barred),
        sorted(unsuitable),
        min_daily_lectures=2,
        max_daily_lectures=3,
    )


@pytest.fixture(scope="session")
def instance() -> Instance:
    return small_instance()
