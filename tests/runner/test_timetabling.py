"""The pipeline of the six stages."""

import pytest
from schoolbell.runner import timetabling_pipeline, university_pipeline
from schoolbell.stages.timetable import TimetableError

SIX = ["load", "clustering", "cp_sat", "ga", "rl", "finalize"]


def names(pipeline):
    return [stage.name for stage in pipeline.stages]


def stage(pipeline, name):
    return next(stage for stage in pipeline.stages if stage.name == name)


def test_has_the_six_stages_with_their_shares_of_the_progress():
    pipeline = timetabling_pipeline("UD4")
    assert names(pipeline) == SIX
    assert [stage.share for stage in pipeline.stages] == [2, 3, 10, 75, 7, 3]
    assert stage(pipeline, "load").formulation == "UD4"


def test_a_university_has_the_same_stages_and_shares():
    pipeline = university_pipeline(ga__population=9)
    assert names(pipeline) == SIX
    assert [stage.share for stage in pipeline.stages] == [2, 3, 10, 75, 7, 3]
    assert stage(pipeline, "ga").population == 9


def test_options_set_single_parameters_several_or_leave_a_stage_out():
    pipeline = timetabling_pipeline(
        ga__population=9, cp_sat={"rounds": 2, "effort": 0.5}, rl=None, finalize__csv="x.csv"
    )
    assert names(pipeline) == [name for name in SIX if name != "rl"]
    assert stage(pipeline, "ga").population == 9
    assert (stage(pipeline, "cp_sat").rounds, stage(pipeline, "cp_sat").effort) == (2, 0.5)
    assert stage(pipeline, "finalize").csv == "x.csv"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"annealing__moves": 3}, "no stage 'annealing'; there are load, clustering"),
        ({"ga__colour": "red"}, "has no parameter 'colour'"),
        ({"ga": {"colour": "red"}}, "has no parameter 'colour'"),
        ({"ga__population": 0}, "population must be"),
    ],
)
def test_wrong_options_are_refused_in_words(options, message):
    with pytest.raises(ValueError, match=message):
        timetabling_pipeline(**options)


def test_an_unknown_formulation_is_refused():
    with pytest.raises(TimetableError, match="UD0"):
        timetabling_pipeline("UD0")
