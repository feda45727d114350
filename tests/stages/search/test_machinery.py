"""Kernels by numba's private interfaces, and plainly where these do not fit."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from schoolbell.stages.search.machinery import NEWEST, OLDEST, PRIVATE

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import json, sys
from dataclasses import dataclass
import numpy as np
from schoolbell.stages.search.bits import leading_zeros, popcount, trailing_zeros
from schoolbell.stages.search.compiling import copy_into, inner, kernel, kernel_of
from schoolbell.stages.search.machinery import PRIVATE, CompileListener, listening
from schoolbell.stages.search.random import next_uint64, random_state
from schoolbell.stages.search.record import Record
from schoolbell.stages.timetable.constraints.search.weights import enabled, units

@dataclass(frozen=True)
class Bag(Record):
    numbers: np.ndarray
    table: np.ndarray
    step: int
    rate: float
    price: int | None
    absent: None

@inner
def total(bag):
    found = 0.0
    for i in range(len(bag.numbers)):
        found += bag.numbers[i] * bag.rate + bag.table[i % 2, 1]
    return found

@kernel
def begin(bag):
    bag.numbers[0] += bag.step

@kernel
def work(bag, rng, target):
    begin(bag)
    copy_into(target, bag.numbers)
    found = total(bag) + popcount(np.uint64(13)) + trailing_zeros(np.uint64(8))
    if enabled(bag.price):
        found += units(bag.price)
    if enabled(bag.absent):
        found += 1000.0
    return found, next_uint64(rng), leading_zeros(np.uint64(1))

bag = Bag(np.arange(3), np.ones((2, 2)), np.int64(5), 0.5, 7, None)
target = np.zeros(3, np.int64)
rng = random_state(np.random.SeedSequence(1))
with listening(CompileListener()):
    found = [work(bag, rng, target) for _ in range(2)]
print(json.dumps({
    "private": PRIVATE,
    "room": any("numba_interfaces" in name for name in sys.modules),
    "found": [[float(a), int(b), int(c)] for a, b, c in found],
    "target": target.tolist(),
    "inner": float(kernel_of(total)(bag)),
}))
"""


ANOTHER_NUMBA = """
import json
import numba
numba.__version__ = "0.99.0"
from schoolbell.stages.search.machinery import PRIVATE, kernel
print(json.dumps({"private": PRIVATE, "found": kernel(lambda: 5)()}))
"""


def run(script: str = SCRIPT, **env: str) -> tuple[dict[str, object], str]:
    """What a process of its own finds, and what it warns of."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | env,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout), done.stderr


def test_plain_kernels_find_what_the_others_find() -> None:
    private, _ = run(SCHOOLBELL_NUMBA="private")
    plain, warned = run(SCHOOLBELL_NUMBA="plain")
    assert private.pop("private") is private.pop("room") is True
    assert plain.pop("private") is plain.pop("room") is False
    assert plain == private
    assert plain["target"] == [10, 1, 2]
    assert not warned


def test_kernels_are_plain_where_numba_is_one_that_nobody_has_tried() -> None:
    found, warned = run(ANOTHER_NUMBA, SCHOOLBELL_NUMBA="")
    assert found == {"private": False, "found": 5}
    assert "numba is 0.99.0" in warned


def test_another_word_for_the_machinery_is_refused() -> None:
    with pytest.raises(subprocess.CalledProcessError) as error:
        run(SCHOOLBELL_NUMBA="fast")
    assert "SCHOOLBELL_NUMBA must be private or plain, got 'fast'" in error.value.stderr


def test_the_package_asks_for_the_numbas_that_its_kernels_were_tried_with() -> None:
    assert PRIVATE or os.environ.get("SCHOOLBELL_NUMBA")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (asked,) = (one for one in project["dependencies"] if one.startswith("numba"))
    assert asked == f"numba>={OLDEST[0]}.{OLDEST[1]},<{NEWEST[0]}.{NEWEST[1] + 1}"


def test_only_one_room_leans_on_numbas_private_interfaces() -> None:
    private = ("numba.core", "numba.np", "numba.misc", "._cache", "._insert", "_compile_for_args")
    room = ROOT / "stages" / "search" / "numba_interfaces"
    wrong = [
        str(path.relative_to(ROOT))
        for package in ("callbacks", "stages", "runner")
        for path in (ROOT / package).rglob("*.py")
        if not path.is_relative_to(room)
        and any(word in path.read_text(encoding="utf-8") for word in private)
    ]
    assert wrong == []
