"""What a run says of itself."""

import pytest
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Search(Stage):
    name, unit = "search", "round"

    def run(self, state, budget):
        for done in range(1, 1201):
            if done == 600:
                state.offer("found", 1234.5, 2)
                state.bound = 1000
            yield Batch(done, 1200)


class Endless(Search):
    name = "endless"

    def run(self, state, budget):
        yield Batch(1)
        raise RuntimeError("out of luck")


def test_a_summary_tells_outcome_solution_and_stages():
    run = Pipeline([Search()]).fit(verbose=False, job_id="x")
    lines = run.summary().splitlines()
    assert lines[0].startswith("Run x: finished in ")
    assert lines[1] == "cost 1,234.50, violations 2, lower bound 1,000"
    assert lines[3].split() == ["stage", "units", "time", "cost", "violations", "ended"]
    assert lines[4].split()[:3] == ["search", "1,200/1,200", "round"]
    assert lines[4].split()[-3:] == ["1,234.50", "2", "finished"]
    assert str(run) == run.summary()
    assert repr(run).startswith("<Run x: finished, cost 1,234.50, violations 2, ")


def test_a_failed_run_tells_why():
    pipeline = Pipeline([Endless()])
    with pytest.raises(RuntimeError):
        pipeline.fit(verbose=False, job_id="x")
    lines = str(pipeline.run).splitlines()
    assert lines[0].startswith("Run x: failed: RuntimeError: out of luck in ")
    assert lines[1] == "no solution"
    assert lines[4].split()[-1] == "failed"


def test_every_run_has_another_id():
    pipeline = Pipeline([Search()])
    assert pipeline.fit(verbose=False).job_id != pipeline.fit(verbose=False).job_id
