"""What every stage can do."""

import pytest
from schoolbell.stages import Batch, Stage


class Search(Stage):
    name = "search"

    def __init__(self, depth=3, *, width=1.0):
        if depth < 1:
            raise ValueError("depth must be 1 or more")
        self.depth = depth
        self.width = width

    def run(self, state, budget):
        yield Batch(1, self.depth)


def test_parameters_are_those_of_the_constructor():
    stage = Search(4)
    assert stage.get_params() == {"depth": 4, "width": 1.0}
    assert stage.set_params(width=2.0) is stage
    assert stage.get_params() == {"depth": 4, "width": 2.0}
    assert repr(stage) == "Search(depth=4, width=2.0)"


def test_changed_parameters_are_checked_like_new_ones():
    stage = Search()
    with pytest.raises(ValueError, match="depth must be"):
        stage.set_params(depth=0)
    assert stage.depth == 3


def test_a_value_of_the_wrong_type_is_refused_by_the_parameter_s_name():
    stage = Search()
    with pytest.raises(
        ValueError,
        match=r"'search' does not take depth='deep', expected something like depth=[0-9]+: '<' not",
    ):
        stage.set_params(depth="deep")
    assert stage.depth == 3


def test_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match="'search' has no parameter 'speed'; it has depth, width"):
        Search().set_params(speed=1)


def test_a_stage_without_state_refuses_some():
    stage = Search()
    assert stage.state_dict() == {}
    stage.load_state_dict({})
    with pytest.raises(ValueError, match="keeps no state, got"):
        stage.load_state_dict({"depth": 3})


def test_a_stage_must_do_something():
    with pytest.raises(TypeError, match="abstract"):
        Stage()  # type: ignore[abstract]


def test_a_batch_prints_what_it_holds():
    assert repr(Batch(1, 2, {"gain": 3.0})) == "Batch(done=1, total=2, logs={'gain': 3.0})"
