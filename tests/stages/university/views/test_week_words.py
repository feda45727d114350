"""Weeks in words."""

import pytest
from schoolbell.stages.university.views.week_words import week_words


@pytest.mark.parametrize(
    ("weeks", "words"),
    [
        ("1" * 15, "weeks 1-15"),
        ("10" * 6, "odd weeks"),
        ("101010101", "odd weeks"),
        ("01" * 6, "even weeks"),
        ("001010100000", "odd weeks 3-7"),
        ("000101010000", "even weeks 4-8"),
        ("0010", "week 3"),
        ("1010", "weeks 1, 3"),
        ("11111101", "weeks 1-6, 8"),
        ("0000", "no weeks"),
    ],
)
def test_weeks_are_said_as_people_say_them(weeks, words):
    assert week_words(weeks).replace("\N{EN DASH}", "-") == words
