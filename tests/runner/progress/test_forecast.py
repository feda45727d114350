"""What a run is foretold to take, from what is known of it."""

import pytest
from schoolbell.runner import ProgressTracker
from schoolbell.runner.progress.stage_timing import StageTiming


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def even(seconds, units=10, budget=None):
    """The timing of a stage whose units took the same time each."""
    finished = [(done, seconds * done / units) for done in range(1, units + 1)]
    return StageTiming.of(finished, seconds, budget)


@pytest.fixture
def clock():
    return Clock()


def tracker_of(clock, timings=None, limit=None, **shares):
    return ProgressTracker(
        shares or {"a": 1, "b": 1}, time_limit=limit, timings=timings, clock=clock
    )


def work(tracker, clock, units, seconds):
    """Do so many units of so many seconds."""
    for _ in range(units):
        clock.now += seconds
        tracker.update_work_progress(tracker.stage_items_done + 1)
        tracker.eta()


def test_an_earlier_run_tells_all_before_anything_is_done(clock):
    tracker = tracker_of(clock, {"a": even(20), "b": even(7)})
    tracker.begin_stage("a", 10)
    assert tracker.eta() == pytest.approx(27)
    clock.now = 1.5
    assert tracker.eta() == pytest.approx(25.5)


def test_stages_follow_the_pace_of_this_run(clock):
    tracker = tracker_of(clock, {"a": even(100), "b": even(100)})
    tracker.begin_stage("a", 10)
    work(tracker, clock, 10, 30)
    tracker.end_stage()
    # Three times as long as then, though not all of that is taken for sure.
    assert 150 < tracker.eta() < 300
    tracker.begin_stage("b", 10)
    work(tracker, clock, 8, 30)
    assert tracker.eta() == pytest.approx(60, rel=0.25)


def test_units_that_were_not_alike_are_not_taken_for_alike(clock):
    finished = [(done, done) for done in range(1, 6)] + [(done, 20 * done) for done in range(6, 11)]
    tracker = tracker_of(clock, {"a": StageTiming.of(finished, 200, None)}, a=1)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 5, 1)
    assert tracker.eta() == pytest.approx(195)


def test_more_units_than_then_take_more_time(clock):
    tracker = tracker_of(clock, {"a": even(20, units=10)}, a=1)
    tracker.begin_stage("a", 40)
    assert tracker.eta() == pytest.approx(80)


def test_stages_without_timings_are_told_by_their_share(clock):
    tracker = tracker_of(clock, {"c": even(5)}, a=2, b=1, c=1)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 10, 1)
    tracker.end_stage()
    assert tracker.eta() == pytest.approx(5 + 5)


def test_a_small_share_is_no_measure_of_the_rest(clock):
    tracker = tracker_of(clock, a=1, b=19)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 10, 1)
    tracker.end_stage()
    # Not 190, as the share alone would have it, and more than another 10.
    assert 10 < tracker.eta() < 120


def test_a_stage_just_begun_is_not_foretold_by_a_small_share_alone(clock):
    tracker = tracker_of(clock, a=1, b=9, c=90)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 10, 1)
    tracker.end_stage()
    tracker.begin_stage("b")
    # Not 90 for this stage and 900 for the next.
    assert 10 < tracker.eta() < 100


def test_a_stage_that_compiled_then_tells_little_of_the_others(clock):
    tracker = tracker_of(clock, {"a": even(60), "b": even(100)})
    tracker.begin_stage("a", 10)
    work(tracker, clock, 10, 0.1)
    tracker.end_stage()
    assert 50 < tracker.eta() < 100


def test_a_stage_that_ended_early_then_ends_as_early_now(clock):
    finished = [(done, 0.1 * done) for done in range(1, 101)]
    timing = StageTiming.of(finished, 10, None, total=1000)
    tracker = tracker_of(clock, {"a": timing}, a=1)
    tracker.begin_stage("a", 2000)
    # Twice as many units, of which a tenth will be done as then.
    assert tracker.eta() == pytest.approx(20)
    work(tracker, clock, 150, 0.1)
    assert tracker.eta() == pytest.approx(5, rel=0.01)
    work(tracker, clock, 150, 0.1)
    assert 0 <= tracker.eta() < 5


def test_a_unit_that_is_overdue_makes_the_rest_longer_with_timings_too(clock):
    tracker = tracker_of(clock, {"a": even(100)}, a=1)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 2, 10)
    clock.now += 40
    assert tracker.eta() > 1.5 * 70


def test_a_stage_much_longer_or_shorter_than_then_counts_as_one_of_several(clock):
    timings = {"a": even(1), "b": even(10), "c": even(100)}
    tracker = tracker_of(clock, timings, a=1, b=1, c=1)
    for stage, seconds in (("a", 1), ("b", 10)):
        tracker.begin_stage(stage, 10)
        work(tracker, clock, 10, 2 * seconds / 10)
        tracker.end_stage()
    tracker.begin_stage("c", 10)
    # Both took twice as long as then, and though they were short, that tells.
    assert 120 < tracker.eta() < 200


def test_the_first_units_of_a_stage_are_no_measure_of_the_rest(clock):
    tracker = tracker_of(clock)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 10, 1)
    tracker.end_stage()
    tracker.begin_stage("b", 10)
    work(tracker, clock, 1, 4)
    assert 9 < tracker.eta() < 9 * 2


def test_with_a_limit_stages_take_all_the_time_where_nothing_else_is_known(clock):
    tracker = tracker_of(clock, limit=60)
    tracker.begin_stage("a", seconds=30)
    clock.now = 10
    assert tracker.eta() == pytest.approx(50)


def test_with_a_limit_what_a_stage_once_left_over_the_next_gets(clock):
    timings = {"b": even(2, budget=20), "c": even(20, budget=20)}
    tracker = tracker_of(clock, timings, limit=60, a=1, b=1, c=1)
    tracker.begin_stage("a", seconds=20)
    clock.now = 10
    assert tracker.eta() == pytest.approx(50)
    ends_with_b = tracker_of(clock, timings, limit=60, a=2, b=1)
    ends_with_b.begin_stage("a", seconds=20)
    assert ends_with_b.eta() == pytest.approx(20 + 2)


def test_a_stage_that_spent_its_budget_spends_it_again(clock):
    tracker = tracker_of(clock, {"a": even(9.8, budget=10)}, limit=100, a=1)
    tracker.begin_stage("a", 10, seconds=50)
    work(tracker, clock, 5, 1)
    assert tracker.eta() == pytest.approx(45)


def test_a_stage_that_is_sooner_ready_than_its_time_is_told_by_its_units(clock):
    tracker = tracker_of(clock, limit=100, a=1)
    tracker.begin_stage("a", 20, seconds=100)
    work(tracker, clock, 10, 1)
    assert tracker.eta() == pytest.approx(10)


def test_a_unit_that_is_overdue_makes_the_rest_longer(clock):
    tracker = tracker_of(clock, a=1)
    tracker.begin_stage("a", 10)
    work(tracker, clock, 2, 1)
    clock.now += 60
    assert tracker.eta() > 60


def expecting(clock, expected, limit=None):
    tracker = tracker_of(clock, limit=limit, **dict.fromkeys(expected, 1))
    tracker.expect({name: seconds for name, seconds in expected.items() if seconds is not None})
    return tracker


def test_what_stages_expect_tells_all_from_the_first_second_on(clock):
    tracker = expecting(clock, {"a": 2.0, "b": 60.0})
    tracker.begin_stage("a")
    clock.now = 1.0
    assert tracker.eta() == pytest.approx(61)


def test_a_machine_slower_than_stages_expect_lets_expect_more_of_the_next(clock):
    tracker = expecting(clock, {"a": 2.0, "b": 60.0})
    tracker.begin_stage("a", 1)
    clock.now = 8.0
    tracker.update_work_progress(1)
    tracker.end_stage()
    assert 90 < tracker.eta() < 240


def test_a_compilation_tells_nothing_of_how_fast_the_machine_is(clock):
    tracker = expecting(clock, {"a": 2.0, "b": 60.0})
    tracker.begin_stage("a", 1)
    clock.now = 40.0
    tracker.overtime = 38.0
    assert tracker.eta() is None
    tracker.update_work_progress(1)
    tracker.end_stage()
    assert tracker.eta() == pytest.approx(60)


def test_what_a_stage_expects_gives_way_to_what_its_units_take(clock):
    tracker = expecting(clock, {"a": 10.0})
    tracker.begin_stage("a", 100)
    work(tracker, clock, 50, 1)
    assert tracker.eta() == pytest.approx(50, rel=0.25)


def test_with_a_limit_a_stage_gets_no_more_than_it_expects(clock):
    tracker = expecting(clock, {"a": 1.0, "b": None}, limit=60)
    tracker.begin_stage("a", seconds=30)
    assert tracker.eta() == pytest.approx(60)
    last = expecting(clock, {"a": None, "b": 1.0}, limit=60)
    last.begin_stage("a", seconds=30)
    assert last.eta() == pytest.approx(31)


def test_the_part_of_a_unit_is_part_of_what_an_earlier_run_tells(clock):
    tracker = tracker_of(clock, {"a": even(100, units=2)}, a=1)
    tracker.begin_stage("a", 2)
    clock.now = 25.0
    tracker.note_pulse(0.5)
    assert tracker.eta() == pytest.approx(75)


def test_a_few_quick_units_end_no_stage_that_fills_its_time(clock):
    tracker = tracker_of(clock, limit=20, a=1)
    tracker.begin_stage("a", 20, seconds=20)
    work(tracker, clock, 5, 1)
    # Noticed late, so they seem to have taken no time.
    work(tracker, clock, 2, 0.01)
    assert tracker.eta() == pytest.approx(20 - clock.now)
