"""The words for how a run and its stages ended."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from schoolbell.callbacks.vocabulary import (
    CANCELLED,
    LOST,
    STAGE_ENDS,
    STATUSES,
    TIME,
    best_text,
    outcome_text,
    stage_end_text,
    units_text,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (("finished",), "finished"),
        (("stopped", "EarlyStopping"), "stopped by EarlyStopping"),
        (("stopped", "command"), "stopped by a command"),
        (("stopped", "program"), "stopped by the program"),
        (("stopped", "cancelled"), "cancelled"),
        (("failed", None, "ValueError: no luck"), "failed: ValueError: no luck"),
        (("interrupted",), "interrupted"),
        (("interrupted", "SIGTERM"), "interrupted by SIGTERM"),
    ],
)
def test_an_outcome_in_words(about, words):
    assert outcome_text(*about) == words


@pytest.mark.parametrize(
    ("about", "words"),
    [
        (("finished", None, 3, 3), "finished"),
        (("finished", None, 3, None), "finished"),
        (("finished", None, 5, 44), "finished early"),
        (("time", None, 4, 9), "time is up"),
        (("optimal", None, 4, 9), "proven optimal"),
        (("optimal", None, 0, None), "not needed"),
        (("skipped", "EarlyStopping", 4, 9), "ended by EarlyStopping"),
        (("skipped", "command"), "skipped by a command"),
        (("skipped", None), "skipped"),
        (("stopped", "Timer"), "stopped by Timer"),
        (("interrupted",), "interrupted"),
        (("failed",), "failed"),
    ],
)
def test_the_end_of_a_stage_in_words(about, words):
    assert stage_end_text(*about) == words


def test_there_are_words_for_every_status_and_every_end():
    assert all(map(outcome_text, STATUSES))
    assert all(map(stage_end_text, STAGE_ENDS))


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ((3, 3, "step"), "3/3 steps"),
        ((1, 1, "step"), "1/1 step"),
        ((0, None, "episode"), "0 episodes"),
        ((1, None, "episode"), "1 episode"),
        ((4, 9, "batch"), "4/9 batches"),
        ((4, 9, "city"), "4/9 cities"),
        ((4, 9, "day"), "4/9 days"),
        ((4, 9, "lectures"), "4/9 lectures"),
        ((4, 9, "単位"), "4/9 単位"),
        ((1200, None, None), "1,200"),
    ],
)
def test_units_are_counted_in_the_plural(units, words):
    assert units_text(*units) == words


def test_a_solution_in_words():
    assert best_text(None, None) == "no solution"
    assert best_text(1234.5, 1200) == "cost 1,234.50, violations 1,200"
    assert best_text(3, None) == "cost 3"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("finished", None, None, 3), "finished with 3 violations left"),
        (("finished", None, None, 1), "finished with 1 violation left"),
        (("finished", None, None, 0), "finished"),
        (("stopped", "Timer", None, 2000), "stopped by Timer with 2,000 violations left"),
        (("interrupted", None, None, 2), "interrupted with 2 violations left"),
        (("failed", None, "KeyError: 'x'", 2), "failed: KeyError: 'x'"),
        (("running", None, None, 2), "running"),
    ],
)
def test_an_outcome_says_how_many_violations_are_left(arguments, text):
    assert outcome_text(*arguments) == text


OTHER_MEANINGS = {
    # Attributes of a class are something else.
    "runner/engine/switchboard.py",
    "stages/map_batches.py",
    # What is interrupted at once imports nothing more.
    "runner/cli/main.py",
    # A type spells its values out.
    "runner/service/web/job_routes.py",
}
WORDS = {*STATUSES, *STAGE_ENDS, LOST, CANCELLED} - {TIME}


def spelled(path: Path) -> Iterator[int]:
    """Lines of a module that spell a word of the vocabulary in a text of their own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in WORDS:
            yield node.lineno


@pytest.mark.parametrize("package", ["callbacks", "runner", "stages"])
def test_the_words_of_a_run_are_spelled_in_one_module(package):
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "vocabulary.py" and path.relative_to(ROOT).as_posix() not in OTHER_MEANINGS
        for line in spelled(path)
    ]
    assert not wrong
