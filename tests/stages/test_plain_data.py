"""What a backup can hold, and what is left of data that it cannot."""

import threading
from collections import OrderedDict, defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from schoolbell.stages.plain_data import copy_plain, copy_savable


def deep(levels, inner=1):
    for _ in range(levels):
        inner = [inner]
    return inner


def endless():
    items = []
    items.append(items)
    return items


PLAIN = [
    None, True, 7, 10**400, 1.5, 2j, "text", "\ud800", b"\0\xff", bytearray(b"ab"),
    [1, (2, {3})], frozenset({1, "a"}), {"a": 1, 2: "b", (3, b"c"): None}, {"__tuple__": [1]},
    np.arange(6, dtype=np.int8).reshape(2, 3), np.array([], float), np.array("text"),
    np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), np.datetime64("2020-02-02"),
    deep(60),
]  # fmt: skip
ODD = [
    object(), threading.Lock(), lambda: 1, Path("a"), date(2020, 1, 1), range(3), int,
    np.array([object()]), np.ma.masked_array([1, 2], [True, False]), np.zeros(2, "V0"),
    np.random.default_rng(1), deep(100), endless(), {1: object()}, {("a", date(2020, 1, 1)): 1},
]  # fmt: skip


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: type(value).__name__)
def test_plain_data_are_copied(value):
    copy, left_out = copy_savable({"value": value}, "state")
    assert left_out == []
    for one in (copy_plain(value), copy["value"]):
        assert type(one) is type(value)
        assert np.array_equal(one, value) if isinstance(value, np.ndarray) else one == value


def test_a_copy_does_not_change_with_the_original():
    value = {"list": [1], "array": np.zeros(2), "set": {1}, "bytes": bytearray(b"a")}
    copies = copy_plain(value), copy_savable(value, "state")[0]
    value["list"].append(2)
    value["array"][:] = 5
    value["set"].add(2)
    value["bytes"].append(2)
    for copy in copies:
        assert (copy["list"], copy["array"].tolist()) == ([1], [0, 0])
        assert (copy["set"], copy["bytes"]) == ({1}, b"a")


def test_numbers_of_numpy_become_pythons_own():
    values = [np.int8(3), np.float32(0.5), np.float64(2), np.bool_(True), np.complex64(1j)]
    assert [type(copy_plain(one)) for one in values] == [int, float, float, bool, complex]


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_what_is_not_plain_is_refused_as_a_whole_and_left_out_of_a_dict(value):
    with pytest.raises(TypeError, match="a backup holds numbers"):
        copy_plain(value)
    copy, left_out = copy_savable({"done": 3, "odd": {"in": value, "by": 1}}, "state")
    assert copy["done"] == 3
    assert copy["odd"]["by"] == 1
    assert len(left_out) == 1
    assert left_out[0].startswith("state.odd.in")


def test_an_entry_is_left_out_of_each_row_but_a_list_as_a_whole():
    state = {"rows": [{"a": 1, "b": object()}], "pairs": [1, object()], "rest": (1, 2)}
    copy, left_out = copy_savable(state, "state")
    assert copy == {"rows": [{"a": 1}], "rest": (1, 2)}
    assert left_out == ["state.rows[0].b (a object)", "state.pairs[1] (a object)"]


def test_subclasses_are_saved_as_what_they_derive_from_but_refused_on_the_state():
    for value in (OrderedDict(a=1), defaultdict(int, a=1)):
        copy, left_out = copy_savable(value, "state")
        assert (type(copy), copy, left_out) == (dict, {"a": 1}, [])
        with pytest.raises(TypeError):
            copy_plain(value)
