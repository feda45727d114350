"""How long the next unit is expected to take."""

import pytest
from schoolbell.runner.progress.unit_clock import UnitClock


def after(*seconds):
    """A clock that noticed each unit when it was done, and the time then."""
    clock, now = UnitClock(0.0), 0.0
    for done, one in enumerate(seconds, start=1):
        now += one
        clock.notice(done, now)
    return clock, now


def test_nothing_is_expected_before_a_unit_is_done():
    clock, _ = after()
    clock.notice(0, 5.0)
    assert clock.unit_seconds is None


def test_the_first_units_count_alike():
    clock, _ = after(1, 2, 3)
    assert clock.unit_seconds == pytest.approx(2)


def test_the_newest_units_count_most():
    slower, _ = after(*[1] * 10, *[4] * 10)
    assert 3.5 < slower.unit_seconds < 4


def test_of_many_units_a_single_slow_one_counts_little():
    clock, _ = after(*[1] * 500, 50)
    assert clock.unit_seconds < 1.6


def test_units_noticed_together_share_their_time():
    clock = UnitClock(0.0)
    clock.notice(10, 20.0)
    assert clock.unit_seconds == 2


def test_a_restored_clock_knows_what_the_other_knew():
    clock, now = after(1, 2, 6)
    other = UnitClock.of_state(clock.state_dict(now + 1), 500.0)
    assert (other.began, other.at, other.done) == (490, 500, 3)
    assert other.unit_seconds == clock.unit_seconds


def test_the_unit_in_hand_needs_less_as_it_goes_on_and_more_when_it_is_overdue():
    clock, now = after(10, 10)
    assert clock.in_hand(10, now) == 10
    assert clock.in_hand(10, now + 4) == 6
    assert clock.in_hand(10, now + 10) == 2
    assert clock.in_hand(10, now + 100) == 20


def test_the_first_pulse_of_a_unit_that_was_begun_before_it_was_noticed_tells_little():
    clock = UnitClock(0.0)
    clock.notice_part(0.5, 1.0)
    clock.notice(1, 2.0)
    # Nine tenths, a moment after the end of the unit before was noticed.
    clock.notice_part(0.9, 2.01)
    assert clock.expected(clock.unit_seconds) == pytest.approx(2.0, rel=0.05)
