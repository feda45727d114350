"""Progress that moves, never goes back, and tells no lies, on a clock of our own."""

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schoolbell.runner import ProgressTracker
from schoolbell.runner.progress.stage_timing import POINTS, StageTiming


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def begun(clock, total=4, shares=None, **options):
    """A tracker in the first of two equal stages."""
    tracker = ProgressTracker(shares or {"a": 1, "b": 1}, clock=clock, **options)
    tracker.begin_stage("a", total)
    return tracker


def test_work_is_counted_by_units_and_shares(clock):
    tracker = begun(clock, total=4, shares={"a": 1, "b": 3})
    tracker.update_work_progress(2)
    assert tracker.work_progress == 0.125
    tracker.end_stage()
    tracker.begin_stage("b", 3)
    assert tracker.work_progress == 0.25
    tracker.update_work_progress(1)
    assert tracker.work_progress == pytest.approx(0.5)


def test_totals_and_done_units_are_plain_attributes_too(clock):
    tracker = begun(clock, total=None)
    tracker.stage_items_total = 8
    tracker.stage_items_done = 4
    assert (tracker.stage_items_total, tracker.work_progress) == (8, 0.25)


def test_progress_moves_between_units_within_the_unit_in_hand(clock):
    tracker = begun(clock, total=4)
    told = []
    for _ in range(200):
        clock.now += 0.5
        told.append(tracker.calculate_smooth_progress())
    assert all(later > before for before, later in pairwise(told))
    assert told[-1] < 0.125


def test_a_unit_that_takes_as_long_as_the_ones_before_moves_evenly(clock):
    tracker = begun(clock, total=10, shares={"a": 1})
    for done in range(1, 6):
        clock.now += 10
        tracker.update_work_progress(done)
        tracker.calculate_smooth_progress()
    clock.now += 5
    assert tracker.calculate_smooth_progress() == pytest.approx(0.5 + 0.1 * 0.4)
    clock.now += 5
    assert tracker.calculate_smooth_progress() == pytest.approx(0.5 + 0.1 * 0.8)


def test_only_a_finished_run_reaches_one(clock):
    tracker = begun(clock, total=1, shares={"a": 1})
    tracker.update_work_progress(1)
    assert tracker.work_progress == 1
    assert tracker.calculate_smooth_progress() < 1
    tracker.end_stage()
    clock.now += 100
    assert tracker.calculate_smooth_progress() < 1
    tracker.finish()
    assert tracker.calculate_smooth_progress() == 1


def moves(tracker, clock, seconds=60.0, interval=0.5):
    """Whether progress is another one every half second."""
    told = [tracker.calculate_smooth_progress()]
    for _ in range(int(seconds / interval)):
        clock.now += interval
        told.append(tracker.calculate_smooth_progress())
    return all(later > before for before, later in pairwise(told))


@pytest.mark.parametrize("units", [1, 4, 1000])
@pytest.mark.parametrize("late", [0.1, 300.0])
def test_a_stage_that_goes_on_with_all_its_units_done_does_not_stand_still(clock, units, late):
    tracker = begun(clock, total=units)
    for done in range(1, units + 1):
        # The last one may have been overdue, and so shown as all but done.
        clock.now += 0.1 if done < units else late
        tracker.calculate_smooth_progress()
        tracker.update_work_progress(done)
    assert moves(tracker, clock)
    assert tracker.calculate_smooth_progress() < 0.5
    tracker.update_work_progress(units + 1)
    assert moves(tracker, clock)
    tracker.end_stage()
    assert tracker.calculate_smooth_progress() == 0.5


def test_a_stage_that_is_long_in_beginning_does_not_make_the_run_stand_still(clock):
    clock.now = 7.0
    tracker = ProgressTracker({"a": 1, "b": 1, "c": 2}, clock=clock)
    assert tracker.calculate_smooth_progress() == 0
    assert moves(tracker, clock)
    tracker.begin_stage("a", 3)
    assert moves(tracker, clock)
    tracker.update_work_progress(3)
    tracker.end_stage()
    assert tracker.calculate_smooth_progress() == 0.25
    assert moves(tracker, clock)
    assert tracker.calculate_smooth_progress() < 0.3
    tracker.begin_stage("b", 3)
    assert moves(tracker, clock)
    tracker.update_work_progress(3)
    assert tracker.work_progress == 0.5


def test_what_was_told_while_a_run_got_ready_to_go_on_is_not_taken_back(clock):
    tracker = begun(clock, total=4)
    tracker.update_work_progress(2)
    state = tracker.state_dict()
    other = ProgressTracker({"a": 1, "b": 1}, clock=clock)
    other.load_state_dict(state)
    assert moves(other, clock)
    told = other.calculate_smooth_progress()
    other.begin_stage("a")
    other.load_state_dict(state)
    assert other.calculate_smooth_progress() == told
    assert moves(other, clock)


@pytest.mark.parametrize("status", ["stopped", "interrupted", "failed"])
def test_a_run_that_ends_early_stays_where_it_was(clock, status):
    tracker = begun(clock, total=4)
    tracker.update_work_progress(2)
    tracker.finish(status)
    clock.now += 100
    assert tracker.calculate_smooth_progress() == 0.25
    assert tracker.snapshot().status == status
    assert tracker.eta() == 0


def test_a_unit_that_is_suddenly_long_is_not_shown_as_all_but_done(clock):
    tracker = begun(clock, total=100, shares={"a": 1})
    for done in range(1, 51):
        clock.now += 0.001
        tracker.update_work_progress(done)
        tracker.calculate_smooth_progress()
    clock.now += 0.5
    assert tracker.calculate_smooth_progress() == pytest.approx(0.5 + 0.01 * 0.4)


def test_an_unknown_total_still_makes_progress_and_never_fills_the_stage(clock):
    tracker = begun(clock, total=None)
    told = []
    for done in range(1, 1000):
        tracker.update_work_progress(done)
        told.append(tracker.work_progress)
    assert all(later > before for before, later in pairwise(told))
    assert told[0] > 0
    assert told[-1] < 0.5


def test_a_total_known_before_anything_is_done_makes_equal_parts(clock):
    tracker = begun(clock, total=None)
    tracker.update_work_progress(1, total=5)
    assert tracker.work_progress == pytest.approx(0.1)
    assert tracker.work_progress_at(5) == 0.5


def test_a_growing_total_never_takes_progress_back_and_never_stalls_it(clock):
    tracker = begun(clock, total=10, shares={"a": 1})
    tracker.update_work_progress(5)
    assert tracker.calculate_smooth_progress() == 0.5
    tracker.update_work_progress(6, total=105)
    assert tracker.work_progress == pytest.approx(0.5 + 0.5 / 100)
    assert tracker.calculate_smooth_progress() == pytest.approx(0.5 + 0.5 / 100)
    tracker.update_work_progress(105)
    assert tracker.work_progress == 1


def test_a_total_reached_early_jumps_to_the_end_of_the_stage(clock):
    tracker = begun(clock, total=100)
    tracker.update_work_progress(10)
    tracker.end_stage()
    assert tracker.calculate_smooth_progress() == 0.5
    tracker.begin_stage("b", 2)
    assert tracker.calculate_smooth_progress() == 0.5


def test_the_line_that_the_hot_loop_uses_is_the_progress_of_the_work(clock):
    tracker = begun(clock, total=8)
    tracker.update_work_progress(3)
    tracker.update_work_progress(4, total=20)
    at_zero, step, end = tracker.line()
    for done in range(4, 20):
        assert at_zero + step * done == pytest.approx(tracker.work_progress_at(done))
    assert end == tracker.work_progress_at(20)


def test_messages_read_like_a_label_and_a_count(clock):
    tracker = begun(clock, total=100, labels={"a": "Clustering"})
    tracker.update_work_progress(30)
    assert tracker.message == "Clustering: 30/100"
    tracker.begin_stage("b")
    tracker.update_work_progress(7)
    assert tracker.message == "B: 7"
    assert ProgressTracker({"cp_sat": 1}).message == "Starting"


def test_a_snapshot_holds_all_of_one_moment(clock):
    tracker = begun(clock, total=4, units={"a": "step"})
    clock.now = 3.0
    tracker.update_work_progress(1)
    tracker.best = (12.5, 2)
    snapshot = tracker.snapshot()
    assert (snapshot.stage, snapshot.unit, snapshot.done, snapshot.total) == ("a", "step", 1, 4)
    assert (snapshot.progress, snapshot.stage_progress) == (0.125, 0.25)
    assert (snapshot.cost, snapshot.violations, snapshot.elapsed) == (12.5, 2, 3.0)
    assert (snapshot.status, snapshot.message) == ("running", "A: 1/4")


def test_the_time_left_follows_the_units_of_the_stage_and_the_shares_of_the_next(clock):
    tracker = begun(clock, total=10)
    assert tracker.eta() is None
    for done in range(1, 5):
        clock.now += 2
        tracker.update_work_progress(done)
        tracker.calculate_smooth_progress()
    # Six units of 2 s, then a stage as large as this one of 20 s.
    assert tracker.eta() == pytest.approx(32)
    clock.now += 1
    assert tracker.eta() == pytest.approx(31)


def test_the_time_left_follows_recent_units_when_they_become_slower(clock):
    tracker = begun(clock, total=100, shares={"a": 1})
    for done in range(1, 50):
        clock.now += 1 if done < 20 else 5
        tracker.update_work_progress(done)
        tracker.calculate_smooth_progress()
    assert tracker.eta() == pytest.approx(51 * 5, rel=0.02)


def test_the_time_left_never_exceeds_the_limit(clock):
    tracker = begun(clock, total=1000, time_limit=30)
    tracker.update_work_progress(1)
    clock.now = 10
    assert tracker.eta() == 20


def test_a_stage_with_a_budget_and_no_total_takes_its_budget(clock):
    tracker = ProgressTracker({"a": 1, "b": 1}, clock=clock)
    tracker.begin_stage("a", seconds=10)
    clock.now = 4
    # 6 s left of its own, and as much as the whole of it for the other stage.
    assert tracker.eta() == pytest.approx(16)


def test_a_restored_tracker_goes_on_where_the_other_stood(clock):
    tracker = begun(clock, total=10)
    tracker.end_stage()
    tracker.begin_stage("b", 10)
    for done in range(1, 5):
        clock.now += 3
        tracker.update_work_progress(done)
        tracker.snapshot()
    state = json.loads(json.dumps(tracker.state_dict()))
    other = ProgressTracker({"a": 1, "b": 1}, clock=clock)
    other.load_state_dict(state)
    assert other.snapshot() == tracker.snapshot()
    with pytest.raises(ValueError, match="no place of this run"):
        ProgressTracker({"a": 1}, clock=clock).load_state_dict(state)


@pytest.mark.parametrize("share", [0, -1, math.nan, math.inf])
def test_shares_must_be_positive_numbers(share):
    with pytest.raises(ValueError, match="the share of 'a' must be a positive number"):
        ProgressTracker({"a": share})


def test_the_progress_of_a_run_that_is_stopped_in_a_stage_stays_where_it_was(clock):
    tracker = begun(clock, total=4)
    clock.now += 10
    tracker.update_work_progress(2)
    told = tracker.calculate_smooth_progress()
    tracker.end_stage(goes_on=False)
    assert tracker.work_progress == 0.25
    tracker.finish("stopped")
    clock.now += 100
    assert tracker.calculate_smooth_progress() == told


# What can happen to a run, each with how long it took: a read, a unit or several, a new total,
# an early end of the stage.
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["read", "unit", "units", "beyond", "total", "unknown", "pause", "end"]),
        st.floats(0, 50),
        st.integers(1, 60),
    ),
    max_size=60,
)


# What stages may have taken in an earlier run.
TIMINGS = st.builds(
    lambda units, budget, seconds: StageTiming(
        units, budget, tuple(seconds * i / (POINTS - 1) for i in range(POINTS))
    ),
    st.integers(0, 100),
    st.none() | st.floats(0, 100),
    st.floats(0, 100),
)


@settings(max_examples=300, deadline=None)
@given(
    events=EVENTS,
    shares=st.lists(st.floats(0.01, 100), min_size=1, max_size=4),
    totals=st.lists(st.none() | st.integers(1, 50), min_size=4, max_size=4),
    limit=st.none() | st.floats(0.1, 500),
    known=st.dictionaries(st.sampled_from(["s0", "s1", "s2", "s3"]), TIMINGS),
    status=st.sampled_from(["finished", "stopped", "interrupted", "failed"]),
)
def test_progress_is_honest_whatever_happens(events, shares, totals, limit, known, status):
    clock = Clock()
    names = [f"s{i}" for i in range(len(shares))]
    of_stages = dict(zip(names, shares, strict=True))
    tracker = ProgressTracker(of_stages, time_limit=limit, timings=known, clock=clock)
    stages = iter(names)
    budget = None if limit is None else limit / 3
    tracker.begin_stage(next(stages), totals[0], budget)
    told = done = 0
    retotalled = False
    for i, (event, seconds, number) in enumerate(events):
        clock.now += seconds
        total = tracker.stage_items_total
        if event in ("unit", "units"):
            step = 1 if event == "unit" else number
            done = done + step if total is None else max(done, min(total, done + step))
            tracker.update_work_progress(done)
        elif event == "beyond":
            done += number
            tracker.update_work_progress(done)
        elif event == "pause":
            tracker.status = "paused" if tracker.status == "running" else "running"
        elif event == "total":
            # Now and then with a unit, as stages report it.
            done += number % 2
            tracker.update_work_progress(done, max(done, number))
            retotalled = True
        elif event == "unknown":
            tracker.stage_items_total = None
            retotalled = True
        elif event == "end":
            tracker.end_stage()
            following = next(stages, None)
            if following is None:
                break
            tracker.begin_stage(following, totals[i % 4], budget)
            done, retotalled = 0, False
        progress = tracker.calculate_smooth_progress()
        assert told <= progress < 1
        total = tracker.stage_items_total
        if total is None or done < total:
            assert progress >= min(tracker.work_progress, math.nextafter(1, 0))
        else:
            start, end = tracker.bounds(tracker.stage)
            assert progress >= end - 0.11 * (end - start) / max(total, 1)
        # What was shown before the total grew is not taken back.
        assert retotalled or progress <= tracker.work_progress_at(done + 1)
        assert progress <= tracker.bounds(tracker.stage)[1]
        told = progress
        eta = tracker.eta()
        assert eta is None or 0 <= eta < math.inf
        assert limit is None or (eta is not None and eta <= max(0, limit - clock.now))
    tracker.finish(status)
    if status == "finished":
        assert tracker.calculate_smooth_progress() == 1
    else:
        assert told <= tracker.calculate_smooth_progress() < 1
    assert tracker.eta() == 0


@settings(max_examples=100, deadline=None)
@given(
    units=st.lists(st.floats(0.01, 40), min_size=1, max_size=8),
    known=st.booleans(),
    interval=st.floats(0.05, 1.0),
)
def test_a_watcher_never_sees_a_unit_stand_still(units, known, interval):
    clock = Clock()
    tracker = ProgressTracker({"a": 1, "b": 1}, clock=clock)
    tracker.begin_stage("a", len(units) if known else None)
    told = tracker.calculate_smooth_progress()
    for done, seconds in enumerate(units):
        end = clock.now + seconds
        while clock.now + interval < end:
            clock.now += interval
            progress = tracker.calculate_smooth_progress()
            assert progress > told
            told = progress
        clock.now = end
        tracker.update_work_progress(done + 1)
