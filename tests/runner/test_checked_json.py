"""JSON with checks: what is wrong, where, and what was expected."""

from typing import Annotated, Any

import msgspec
import pytest
from schoolbell.runner.checked_json import checked, parsed, told_as


class Room(msgspec.Struct):
    name: str
    places: Annotated[int, msgspec.Meta(ge=1)] | None = None


class House(msgspec.Struct):
    rooms: list[Room]
    about: dict[str, Any] | None = None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "rooms is nothing, expected a list"),
        ({"rooms": 3}, "rooms is 3, expected a list"),
        ({"rooms": [{"name": "a"}, {"name": 7}]}, "rooms[1].name is 7, expected a text"),
        ({"rooms": [{"name": "a", "places": 0}]}, "rooms[0].places is 0, expected a whole number"),
        ({"rooms": [], "about": []}, "about is [], expected an object"),
        ([], "is [], expected an object"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place_and_what_was_expected(values, message):
    with pytest.raises(ValueError) as caught:
        checked(values, House)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "b": }', "2: is no JSON: invalid character"),
        ("", "1: is no JSON: input data was truncated"),
        ("[\n\nNaN]", "3: is no JSON"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_json_is_told_with_its_line(text, message):
    with pytest.raises(ValueError) as caught:
        parsed(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", [None, "", "[1]", "{", "[" * 100_000, '"\ud800"'])
def test_what_a_server_keeps_may_be_anything(text):
    assert told_as(text, dict) == {}
    assert told_as('{"a": [1]}', dict) == {"a": [1]}
