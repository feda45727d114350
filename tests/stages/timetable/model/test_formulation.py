"""Formulations."""

import pickle

import pytest
from schoolbell.stages.timetable import Formulation, TimetableError

# Bonutti, De Cesco, Di Gaspero, Schaerf, Annals of OR 194, 2012.
WEIGHTS = {
    "UD1": {"RoomCapacity": 1, "MinWorkingDays": 5, "IsolatedLectures": 1},
    "UD2": {"RoomCapacity": 1, "MinWorkingDays": 5, "IsolatedLectures": 2, "RoomStability": 1},
    "UD3": {"RoomCapacity": 1, "Windows": 4, "StudentMinMaxLoad": 2, "RoomSuitability": 3},
    "UD4": {
        "RoomCapacity": 1,
        "MinWorkingDays": 1,
        "Windows": 1,
        "StudentMinMaxLoad": 1,
        "DoubleLectures": 1,
    },
    "UD5": {
        "RoomCapacity": 1,
        "MinWorkingDays": 5,
        "IsolatedLectures": 1,
        "Windows": 2,
        "StudentMinMaxLoad": 2,
        "TravelDistance": 2,
    },
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_five_formulations_have_the_published_weights(name):
    formulation = Formulation.of(name)
    assert formulation is getattr(Formulation, name)
    assert formulation.name == name
    assert dict(formulation.weights) == WEIGHTS[name]
    assert formulation.hard == (("RoomSuitability",) if name == "UD4" else ())


def test_names_are_found_in_any_case():
    assert Formulation.of("ud3") is Formulation.UD3


def test_a_formulation_is_itself():
    own = Formulation("own", {"Windows": 7})
    assert Formulation.of(own) is own


@pytest.mark.parametrize("name", ["UD6", "", None, 2])
def test_an_unknown_name_is_told_with_the_known_ones(name):
    with pytest.raises(TimetableError, match=r"unknown formulation .* expected UD1, .*UD5"):
        Formulation.of(name)


@pytest.mark.parametrize(
    ("weights", "hard", "message"),
    [
        ({"Comfort": 1}, (), "unknown soft constraint 'Comfort'"),
        ({"Conflicts": 1}, (), "unknown soft constraint 'Conflicts'"),
        ({"Windows": 0}, (), "weight of Windows .* got 0"),
        ({"Windows": -1}, (), "weight of Windows .* got -1"),
        ({"Windows": 0.5}, (), "weight of Windows .* got 0.5"),
        ({}, ("Windows",), "'Windows' cannot be made hard"),
        ({"RoomSuitability": 1}, ("RoomSuitability",), "RoomSuitability is hard"),
    ],
)
def test_impossible_formulations_are_refused(weights, hard, message):
    with pytest.raises(TimetableError, match=message):
        Formulation("own", weights, hard)


def test_weights_cannot_be_changed():
    weights = {"Windows": 1}
    formulation = Formulation("own", weights)
    weights["Windows"] = 2
    assert formulation.weights["Windows"] == 1
    with pytest.raises(TypeError):
        formulation.weights["Windows"] = 3


def test_formulations_compare_and_travel():
    assert pickle.loads(pickle.dumps(Formulation.UD4)) == Formulation.UD4
    assert hash(Formulation("UD4", WEIGHTS["UD4"], ("RoomSuitability",))) == hash(Formulation.UD4)
    assert len({Formulation.UD1, Formulation.UD2}) == 2
    assert Formulation("UD1", {"Windows": 1}) != Formulation.UD1
