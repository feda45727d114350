"""The units of the shipped pipeline: enough of them, and totals that hold."""

import pytest
from schoolbell.callbacks import EarlyStopping
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import generate

pytestmark = pytest.mark.usefixtures("quick_bound")

UNITS = {
    "cp_sat": {"effort": 0.02},
    "ga": {"generations": 2, "founder_moves": 5_000, "child_moves": 2_500},
    "rl": {"episodes": 200},
}


@pytest.fixture(scope="module")
def problem():
    """An instance in which no timetable is soon proved to be the best."""
    instance = generate(60, seed=3, occupancy=0.95)
    # Nothing is compiled or imported for the first time in what is measured.
    fit(instance, ga__generations=0, ga__founder_moves=100)
    return instance


def fit(problem, callbacks=(), time_limit=None, **changes):
    return timetabling_pipeline(**changes).fit(
        problem, callbacks=list(callbacks), seed=1, workers=1, time_limit=time_limit, verbose=False
    )


def totals(run):
    found = {}
    for row in run.history:
        found.setdefault(row["stage"], set()).add(row["total"])
    return found


@pytest.mark.parametrize("time_limit", [None, 4.0])
def test_a_total_that_was_told_holds_in_every_stage(problem, time_limit):
    run = fit(problem, time_limit=time_limit, **({} if time_limit else UNITS))
    assert {stage: len(told) for stage, told in totals(run).items()} == dict.fromkeys(
        totals(run), 1
    )
    for record in run.stages:
        if record.name == "ga":
            assert record.done == record.total


def test_a_short_run_has_rows_enough_to_be_plotted(problem):
    run = fit(problem, time_limit=3.0)
    rows = [row for row in run.history if row["stage"] == "ga"]
    assert len(rows) >= 10
    measured = {(row["temperature"], row["anneal_cost"]) for row in rows}
    assert len(measured) >= 0.9 * len(rows)


def test_early_stopping_acts_within_a_short_run(problem):
    stop = EarlyStopping("cost", patience=3, min_delta=1e9, stages="ga")
    run = fit(problem, [stop], time_limit=4.0)
    (record,) = (one for one in run.stages if one.name == "ga")
    assert record.done < record.total / 2
