"""What is told of parameters."""

import json
from pathlib import Path

import numpy as np
from schoolbell.callbacks.parameters import public_parameters


def test_numbers_of_numpy_are_numbers_and_arrays_are_texts():
    told = public_parameters({"one": np.int64(3), "none": np.array(2.5), "many": np.arange(3)})
    assert told == {"one": 3, "none": 2.5, "many": "array([0, 1, 2])"}


def test_data_of_any_length_stays_short():
    for data in (list(range(10**5)), np.zeros(10**5), {str(i): i for i in range(10**5)}):
        assert len(json.dumps(public_parameters({"items": data}))) < 500


def test_short_lists_paths_and_odd_numbers_can_be_written_as_json():
    told = public_parameters({"reheats": (1.0, 2.0), "out": Path("a/b"), "limit": float("inf")})
    assert json.loads(json.dumps(told)) == {"reheats": [1.0, 2.0], "out": "a/b", "limit": "inf"}


def test_secrets_are_hidden_wherever_they_stand():
    url = "redis://user:hush@host:1/0?password=hush"
    told = public_parameters({"url": url, "token": "hush", "nested": [{"at": url}]})
    assert "hush" not in json.dumps(told)
