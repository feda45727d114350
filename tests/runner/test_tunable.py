"""Parameters that change while the shipped stages run, and take effect there."""

import pytest
from schoolbell.callbacks import BatchScheduler, CallbackError, LambdaCallback
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.stages import CPSAT, Batch, GeneticAlgorithm, Load, Stage
from schoolbell.stages.exact import cp_sat
from schoolbell.stages.timetable import generate
from schoolbell.stages.timetable.breeding import timetable_breeding

QUICK_GA = {"generations": 2, "population": 2, "founder_moves": 200, "child_moves": 200}


def test_every_shipped_stage_tells_which_parameters_may_change():
    for stage in timetabling_pipeline().stages:
        assert stage.tunable is not None, stage.name
        assert set(stage.tunable) <= set(stage.get_params()), stage.name


def test_every_tunable_parameter_may_be_set_again_and_others_are_refused():
    for stage in timetabling_pipeline().stages:
        params = stage.get_params()
        for name, value in params.items():
            if name in (stage.tunable or ()):
                stage.tune(**{name: value})
            else:
                with pytest.raises(ValueError, match="cannot change while it runs; these can: "):
                    stage.tune(**{name: value})
        assert stage.get_params() == params


def recording(monkeypatch, places, name):
    """Have a class note the arguments by which its objects are made."""
    seen = []
    original = getattr(places[0], name)

    def make(*args, **kwargs):
        made = original(*args, **kwargs)
        seen.append(made)
        return made

    for place in places:
        monkeypatch.setattr(place, name, make)
    return seen


def test_each_round_of_cp_sat_takes_the_effort_of_its_moment(monkeypatch):
    made = recording(monkeypatch, [cp_sat], "SolveLimits")
    schedule = BatchScheduler("effort", lambda cluster: 0.001 * (cluster + 1), stage="cp_sat")
    pipeline = Pipeline([Load(), CPSAT(rounds=2, whole_effort=0)])
    run = pipeline.fit(generate(20, seed=3), callbacks=schedule, verbose=False, workers=1)
    efforts = [one.effort for one in made if one.effort != cp_sat.BUILDING]
    assert efforts == sorted(efforts)
    assert efforts[0] == 0.001
    assert 0.001 < efforts[-1] <= 0.001 * run.stages[1].done
    assert pipeline.get_params()["cp_sat__effort"] == 0.25


def test_each_step_takes_the_parameters_of_its_moment(monkeypatch):
    made = recording(monkeypatch, [timetable_breeding], "Schedule")
    schedules = [
        BatchScheduler("kempe", lambda batch: (batch + 1) / 10, stage="ga"),
        BatchScheduler("final_temperature", lambda batch: (batch + 1) / 20, stage="ga"),
        BatchScheduler("child_moves", lambda batch: 100 + batch, stage="ga"),
    ]
    pipeline = Pipeline([Load(), GeneticAlgorithm(**QUICK_GA)])
    before = pipeline.get_params()
    # What is made while loading measures the machine.
    schedules.append(LambdaCallback(on_stage_begin=lambda stage, logs: made.clear()))
    pipeline.fit(generate(60, seed=3), callbacks=schedules, verbose=False, workers=1)
    kempe = [one.kempe for one in made]
    assert sorted(set(kempe)) == pytest.approx([0.1, 0.2, 0.3])
    assert sorted({one.end for one in made}) == pytest.approx([0.05, 0.1, 0.15])
    assert len({one.moves for one in made}) == 3
    assert pipeline.get_params() == before


def test_what_a_stage_keeps_for_its_run_stays_when_a_callback_sets_a_parameter():
    class Loaded(Stage):
        def __init__(self, rate=1.0):
            self.rate = rate
            self._loaded = None

        def load_state_dict(self, state):
            self._loaded = state

        def run(self, state, budget):
            self.found = (self._loaded, self.rate)
            yield Batch(1, 1)

    stage = Loaded()
    pipeline = Pipeline([stage])

    def begin(logs):
        stage.load_state_dict({"a": 1})
        pipeline.set_params(stage__rate=2.0)

    pipeline.fit(callbacks=LambdaCallback(on_pipeline_begin=begin), verbose=False)
    assert stage.found == ({"a": 1}, 2.0)


def test_a_callback_cannot_change_what_would_have_no_effect():
    pipeline = Pipeline([Load()])
    change = LambdaCallback(on_batch_end=lambda *_: pipeline.set_params(load__formulation="UD3"))
    with pytest.raises(CallbackError, match="'formulation' of stage 'load' cannot change while"):
        pipeline.fit(generate(20, seed=3), callbacks=change, verbose=False)
