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
    assert lines[0].startswith("Run x: finished with 2 violations left in ")
    assert lines[1] == "cost 1,234.50, violations 2, lower bound 1,000"
    assert lines[3].split() == ["stage", "units", "time", "cost", "violations", "ended"]
    assert lines[4].split()[:3] == ["search", "1,200/1,200", "rounds"]
    assert lines[4].split()[-3:] == ["1,234.50", "2", "finished"]
    assert str(run) == run.summary()
    assert repr(run).startswith(
        "<Run x: finished with 2 violations left, cost 1,234.50, violations 2, "
    )


def test_a_failed_run_tells_why():
    pipeline = Pipeline([Endless()])
    with pytest.raises(RuntimeError):
        pipeline.fit(verbose=False, job_id="x")
    lines = str(pipeline.run).splitlines()
    assert lines[0].startswith("Run x: failed: RuntimeError: out of luck in ")
    assert lines[1] == "no solution"
    assert lines[4].split()[-1] == "failed"


def test_the_outcome_says_how_many_violations_are_left():
    class Stopped(Search):
        def run(self, state, budget):
            state.offer("found", 1, 1)
            yield Batch(1, 2)
            pipeline.stop(by="me")
            yield Batch(2, 2)

    assert Pipeline([Search()]).fit(verbose=False).outcome == "finished with 2 violations left"
    pipeline = Pipeline([Stopped()])
    assert pipeline.fit(verbose=False).outcome == "stopped by me with 1 violation left"


class Hopeless(Search):
    """Learns that every solution has violations, before it finds one."""

    def run(self, state, budget):
        state.rule_out(["9 lectures for 5 places", "nobody <can> teach"])
        yield Batch(1, 3)
        self.heard = told()
        state.offer("found", 12, 4)
        yield Batch(3, 3)


def told():
    return None


def test_why_no_solution_can_be_without_violations_is_said_at_once_and_at_the_end(
    capsys, monkeypatch
):
    monkeypatch.setitem(globals(), "told", lambda: capsys.readouterr().err)
    stage = Hopeless()
    run = Pipeline([stage]).fit(verbose="plain")
    line = "no solution can be without violations: 9 lectures for 5 places"
    assert stage.heard.count(line) == 1
    assert line not in capsys.readouterr().err
    assert run.infeasible_because == ("9 lectures for 5 places", "nobody <can> teach")
    assert line in run.summary().splitlines()
    assert "9 lectures for 5 places" in run._repr_html_()
    assert "nobody &lt;can&gt; teach" in run._repr_html_()
    assert Pipeline([Search()]).fit(verbose=False).infeasible_because == ()


def test_a_stderr_that_is_gone_does_not_end_a_run_that_has_something_to_say(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert Pipeline([Hopeless()]).fit(verbose="plain").violations == 4


def test_every_run_has_another_id():
    pipeline = Pipeline([Search()])
    assert pipeline.fit(verbose=False).job_id != pipeline.fit(verbose=False).job_id


class Proof(Search):
    """Proves that what the next stage will find is the best."""

    name = "proof"

    def run(self, state, budget):
        state.prove(3)
        yield Batch(1, 1)


class Improvement(Search):
    name, only_improves = "improvement", True

    def run(self, state, budget):
        for done in range(1, 101):
            state.offer(f"of {10 - done}", 10 - done, 0)
            yield Batch(done, 100)


class Polish(Improvement):
    name = "polish"


class Report(Search):
    name = "report"

    def run(self, state, budget):
        state.reported = state.solution
        yield Batch(1, 1)


def test_a_proof_ends_the_search_and_the_run_is_optimal():
    stages = [Proof(), Improvement(), Polish(), Report()]
    run = Pipeline(stages).fit(verbose=False)
    assert (run.status, run.cost, run.bound, run.optimal) == ("finished", 3, 3, True)
    assert [(stage.done, stage.ended_by) for stage in run.stages] == [
        (1, "finished"),
        (7, "optimal"),
        (0, "optimal"),
        (1, "finished"),
    ]
    assert run.state.reported == "of 3"
    assert run.best == "cost 3, violations 0, proven optimal"
    assert "proven optimal" in run.summary()


def test_a_bound_that_is_proved_after_the_solution_ends_the_search_too():
    class LateProof(Improvement):
        def run(self, state, budget):
            state.offer("found", 5, 0)
            for done in range(1, 101):
                if done == 4:
                    state.prove(5)
                yield Batch(done, 100)

    (stage,) = Pipeline([LateProof()]).fit(verbose=False).stages
    assert (stage.done, stage.ended_by) == (4, "optimal")


def test_a_solution_with_violations_is_not_optimal_however_cheap():
    class Broken(Proof):
        def run(self, state, budget):
            state.prove(3)
            state.offer("broken", 1, 2)
            yield Batch(1, 1)

    run = Pipeline([Broken()]).fit(verbose=False)
    assert not run.optimal
    assert run.best == "cost 1, violations 2, lower bound 3"


def test_a_bound_of_nothing_is_not_worth_a_word():
    class Bounded(Proof):
        def run(self, state, budget):
            state.prove(0)
            state.offer("found", 7, 0)
            yield Batch(1, 1)

    run = Pipeline([Bounded()]).fit(verbose=False)
    assert (run.bound, run.best) == (0, "cost 7, violations 0")


def test_without_a_bound_nothing_is_proved():
    run = Pipeline([Improvement()]).fit(verbose=False)
    assert run.bound is None
    assert not run.optimal
    assert run.stages[0].done == 100
