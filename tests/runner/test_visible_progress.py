"""What a person sees of the progress moves, and neither stands still nor jumps."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from schoolbell.runner import ProgressTracker


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


def test_progress_follows_what_a_pulse_tells_of_the_unit_in_hand(clock):
    tracker = begun(clock, total=4)
    tracker.note_pulse(0.5)
    assert tracker.calculate_smooth_progress() == pytest.approx(0.0625)
    assert tracker.snapshot().stage_progress == pytest.approx(0.125)
    assert tracker.work_progress == 0
    tracker.update_work_progress(1)
    tracker.note_pulse(1.0)
    assert tracker.calculate_smooth_progress() == pytest.approx(0.25)


def test_a_pulse_that_tells_less_takes_nothing_back(clock):
    tracker = begun(clock, total=4)
    tracker.note_pulse(0.8)
    told = tracker.calculate_smooth_progress()
    tracker.note_pulse(0.2)
    assert tracker.calculate_smooth_progress() == told


def test_what_a_pulse_told_of_a_unit_that_is_done_is_not_taken_for_the_next_one(clock):
    tracker = begun(clock, total=4)
    tracker.note_pulse(0.9, "Nearly there")
    tracker.update_work_progress(1)
    assert tracker.calculate_smooth_progress() == 0.125
    assert tracker.message == "A: 1/4"


def test_between_two_pulses_progress_moves_to_where_the_next_one_is_expected(clock):
    tracker = begun(clock, total=4, shares={"a": 1})
    told = []
    for pulse in range(1, 9):
        clock.now += 0.5
        tracker.note_pulse(pulse / 20)
        assert tracker.calculate_smooth_progress() == pytest.approx(pulse / 80, abs=2e-3)
        for _ in range(4):
            clock.now += 0.1
            told.append(tracker.calculate_smooth_progress())
            assert told[-1] <= (pulse + 1) / 80 + 1e-9
        clock.now -= 0.4
    assert all(later > before for before, later in pairwise(told))


def test_pulses_that_tell_nothing_new_let_progress_creep_so_that_it_is_seen(clock):
    tracker = begun(clock, total=4, shares={"a": 1})
    shown = []
    for _ in range(40):
        clock.now += 0.5
        tracker.note_pulse(0.2)
        shown.append(int(1000 * tracker.calculate_smooth_progress()))
    for before, after in zip(shown, shown[2:], strict=False):
        assert after > before
    assert shown[-1] < 1000 * 0.125


def test_a_stage_says_what_it_does_until_its_unit_is_done(clock):
    tracker = begun(clock, total=4)
    tracker.note_pulse(0.5, "Compiling: 7/31")
    assert tracker.message == tracker.snapshot().message == "Compiling: 7/31"
    tracker.note_pulse(0.6)
    assert tracker.message == "A: 0/4"
    tracker.note_pulse(None, "Compiling: 8/31")
    tracker.end_stage()
    assert tracker.message == "A: 0/4"


def test_time_that_no_limit_counts_has_no_countdown(clock):
    tracker = begun(clock, total=4, shares={"a": 1})
    clock.now = 2.0
    tracker.note_pulse(0.5)
    assert tracker.eta() == pytest.approx(14, rel=0.1)
    for _ in range(3):
        clock.now += 1.0
        tracker.overtime += 1.0
        tracker.note_pulse(0.6, "Compiling")
        assert tracker.eta() is None
    # The compilation has ended.
    tracker.overtime = tracker.overtime
    assert tracker.eta() is not None


def test_the_part_of_a_unit_tells_how_long_it_takes(clock):
    tracker = begun(clock, total=2, shares={"a": 1})
    clock.now = 6.0
    tracker.note_pulse(0.3)
    assert tracker.eta() == pytest.approx(34)
    clock.now = 7.0
    assert tracker.eta() == pytest.approx(33)


def test_a_restored_tracker_knows_the_part_and_the_message(clock):
    tracker = begun(clock, total=4)
    for pulse in (0.1, 0.3):
        clock.now += 1.0
        tracker.note_pulse(pulse, "Solving")
        tracker.snapshot()
    state = tracker.state_dict()
    assert (state["part"], state["message"]) == (0.3, "Solving")
    other = ProgressTracker({"a": 1, "b": 1}, clock=clock)
    other.load_state_dict(state)
    assert other.snapshot() == tracker.snapshot()


def test_work_progress_does_not_depend_on_who_reads(clock):
    trackers = [begun(clock, total=10), begun(clock, total=10)]
    for done, total in [(1, 10), (2, 30), (3, 30), (4, 8), (5, None), (6, 200)]:
        clock.now += 3.0
        trackers[0].snapshot()
        for tracker in trackers:
            tracker.note_pulse(0.7)
        trackers[0].snapshot()
        for tracker in trackers:
            tracker.update_work_progress(done, total)
        assert trackers[0].work_progress == trackers[1].work_progress
        assert trackers[0].line() == trackers[1].line()


def by_time(clock, limit=100.0, **shares):
    return ProgressTracker(shares, time_shares=shares, time_limit=limit, clock=clock, follow="time")


def test_the_bar_follows_the_expected_time_where_there_is_a_limit(clock):
    tracker = ProgressTracker(
        {"a": 90, "b": 10}, time_shares={"a": 1, "b": 3}, time_limit=40, clock=clock, follow="time"
    )
    assert tracker.bounds("a") == (0, 0.25)
    assert tracker.bounds("b") == (0.25, 1)


def test_the_shares_hold_where_nothing_tells_the_time(clock):
    tracker = ProgressTracker(
        {"a": 1, "b": 3}, clock=clock, follow="time", expected={"a": 100.0, "b": 1.0}
    )
    assert tracker.bounds("a") == (0, 0.25)


def test_what_a_stage_expects_limits_its_part_of_the_bar(clock):
    tracker = ProgressTracker(
        {"a": 1, "b": 1}, time_limit=40, clock=clock, follow="time", expected={"a": 4.0}
    )
    assert tracker.bounds("a") == (0, pytest.approx(0.1))


def test_a_stage_that_ends_early_leaves_the_rest_of_the_bar_to_the_next(clock):
    tracker = by_time(clock, a=1, b=1)
    tracker.begin_stage("a", 100, seconds=50)
    clock.now = 5.0
    tracker.update_work_progress(10)
    assert tracker.calculate_smooth_progress() == pytest.approx(0.05, abs=1e-3)
    tracker.end_stage()
    assert tracker.calculate_smooth_progress() == pytest.approx(0.055, abs=1e-3)
    tracker.begin_stage("b", 100, seconds=95)
    start, end = tracker.bounds("b")
    assert (start, end) == (pytest.approx(0.055), 1.0)
    clock.now = 52.5
    tracker.update_work_progress(50)
    assert tracker.calculate_smooth_progress() == pytest.approx(0.53, abs=0.01)
    tracker.end_stage()
    assert tracker.work_progress == 1.0


def test_where_a_recorded_stage_began_and_ended_holds(clock):
    tracker = ProgressTracker({"a": 1, "b": 1}, clock=clock)
    tracker.begin_stage("a", 2, bounds=(0.0, 0.2))
    tracker.update_work_progress(1)
    assert tracker.work_progress == pytest.approx(0.1)


@dataclass
class Unit:
    """A unit of work: what it takes, and how evenly its pulses tell of it."""

    seconds: float
    bend: float

    def part(self, seconds):
        """Part of it done after so many seconds."""
        x = seconds / self.seconds
        return x + self.bend * x * (1.0 - x)


UNITS = st.lists(
    st.builds(Unit, st.floats(0.2, 15.0), st.floats(-0.5, 0.5)), min_size=1, max_size=12
)


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    stages=st.lists(UNITS, min_size=1, max_size=3),
    pulse=st.floats(0.05, 0.5),
    poll=st.floats(0.05, 0.5),
    uneven=st.lists(st.floats(0.7, 1.4), min_size=3, max_size=3),
)
def test_what_is_shown_of_a_pulsing_run_moves_every_second_and_does_not_jump(
    stages, pulse, poll, uneven
):
    clock = Clock()
    seconds = [sum(unit.seconds for unit in units) for units in stages]
    over = sum(seconds)
    # The bar's parts are about those of the time.
    shares = {f"s{i}": one * odd for i, (one, odd) in enumerate(zip(seconds, uneven, strict=False))}
    tracker = ProgressTracker(shares, clock=clock)
    seen = []

    def look():
        shot = tracker.snapshot()
        known = tracker.work_progress
        shown = int(1000 * shot.progress), int(100 * shot.stage_progress), shot.message
        seen.append((clock.now, shot.progress, shown))
        end = tracker.work_progress_at(tracker.stage_items_done + 1)
        assert known <= tracker.calculate_smooth_progress() <= end
        assert shot.progress <= end

    next_look, known = 0.0, []
    for name, units in zip(shares, stages, strict=True):
        tracker.begin_stage(name, len(units))
        for done, unit in enumerate(units):
            began, next_pulse = clock.now, clock.now + pulse
            while (moment := min(next_look, next_pulse)) < began + unit.seconds:
                clock.now = moment
                if moment == next_pulse:
                    part = unit.part(moment - began)
                    tracker.note_pulse(part)
                    low, high = (tracker.work_progress_at(one) for one in (done, done + 1))
                    known.append((moment, low + part * (high - low)))
                    next_pulse += pulse
                else:
                    look()
                    next_look += poll
            clock.now = began + unit.seconds
            tracker.update_work_progress(done + 1)
            known.append((clock.now, tracker.work_progress))
        tracker.end_stage()
    tracker.finish()
    assert tracker.calculate_smooth_progress() == 1.0
    patience = max(1.0, over / 100) + 2 * poll + 0.01
    since, shown = 0.0, None
    for (now, progress, new), (_, before, _) in zip(seen, [seen[0], *seen], strict=False):
        assert progress >= before
        if new != shown:
            since, shown = now, new
        assert now - since <= patience

    def was_known(moment):
        place = bisect_right(known, moment, key=lambda one: one[0])
        return known[place - 1][1] if place else 0.0

    for i, (now, progress, _) in enumerate(seen):
        # Shown is what is done; after a jump a moment later.
        assert progress >= was_known(now - 5.0) - 0.03
        for later, after, _ in seen[i + 1 :]:
            if later - now > 0.5:
                break
            # No more than what became known in about that time, or three points; or a quarter
            # of what became known in the last seconds, if that was more than three points at once.
            real = was_known(later) - was_known(now - pulse - 0.5)
            lately = was_known(later) - was_known(now - 5.0)
            assert after - progress <= max(0.03, max(1.3 * real, 0.25 * lately) + 0.005)


SHORT = st.one_of(st.floats(0.001, 0.1), st.floats(1.0, 20.0))


@settings(max_examples=25, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    stages=st.lists(st.tuples(st.floats(1.0, 10.0), SHORT), min_size=1, max_size=6),
    steady=st.floats(5.0, 10.0),
    poll=st.sampled_from([0.1, 0.25]),
)
def test_what_is_shown_does_not_jump_where_a_stage_takes_no_time(stages, steady, poll):
    """Stages of 12 points in all, which may be over in an instant, within a run of some length."""
    clock = Clock()
    all_of_them = sum(share for share, _ in stages)
    shares = {f"s{i}": 12.0 * share / all_of_them for i, (share, _) in enumerate(stages)}
    rest = 100.0 - sum(shares.values())
    tracker = ProgressTracker({**shares, "rest": rest}, clock=clock)
    seen, next_look = [], 0.0
    took = [*(seconds for _, seconds in stages), steady * 10]
    for name, seconds in zip([*shares, "rest"], took, strict=True):
        tracker.begin_stage(name, 10)
        for done in range(1, 11):
            end = clock.now + seconds / 10
            while next_look < end:
                clock.now = next_look
                seen.append((clock.now, tracker.snapshot().progress, tracker.work_progress))
                next_look += poll
            clock.now = end
            tracker.update_work_progress(done)
        tracker.end_stage()
    for i, (now, progress, _) in enumerate(seen):
        for later, after, _ in seen[i + 1 :]:
            if later - now >= 0.5:
                break
            assert after >= progress
            assert after - progress <= 0.03 + 1e-9
    # It is no more than a moment behind.
    for (_, progress, _), (_, _, work) in zip(seen[round(5.0 / poll) :], seen, strict=False):
        assert progress >= work - 0.02
    tracker.finish()
    assert tracker.snapshot().progress == 1.0


def test_what_a_stage_of_no_time_has_done_is_shown_by_and_by(clock):
    tracker = ProgressTracker({"a": 10, "b": 90}, clock=clock)
    tracker.begin_stage("a", 1)
    tracker.snapshot()
    tracker.update_work_progress(1)
    tracker.end_stage()
    tracker.begin_stage("b", 1000)
    shown = [tracker.snapshot().progress]
    for _ in range(12):
        clock.now += 0.25
        shown.append(tracker.snapshot().progress)
        assert tracker.calculate_smooth_progress() >= 0.1
        assert tracker.work_progress == pytest.approx(0.1)
    assert all(after - before <= 0.03 for before, after in zip(shown, shown[2:], strict=False))
    assert shown[0] < 0.01
    assert shown[-1] > 0.1


def test_a_run_that_was_put_off_by_compiling_is_followed_as_fast_as_another(clock):
    tracker = ProgressTracker({"a": 1}, time_limit=10.0, clock=clock)
    tracker.begin_stage("a", 1000)
    tracker.snapshot()
    clock.now = tracker.overtime = 400.0
    tracker.time_limit = 410.0
    tracker.snapshot()
    for done in range(1, 101):
        clock.now += 0.1
        tracker.update_work_progress(10 * done)
        if done < 100:
            assert tracker.snapshot().progress > tracker.work_progress - 0.02


def test_a_small_step_is_shown_at_once(clock):
    tracker = begun(clock, total=100)
    for done in range(1, 10):
        clock.now += 0.5
        tracker.update_work_progress(done)
        assert tracker.snapshot().progress == tracker.calculate_smooth_progress()


@pytest.mark.parametrize("status", ["finished", "stopped"])
def test_a_run_that_is_over_is_shown_where_it_is(clock, status):
    tracker = begun(clock, total=4, shares={"a": 1})
    tracker.snapshot()
    tracker.update_work_progress(3)
    assert tracker.snapshot().progress < 0.5
    tracker.finish(status)
    assert tracker.snapshot().progress == (1.0 if status == "finished" else 0.75)


def test_the_message_counts_seconds_where_nothing_else_moves(clock):
    tracker = begun(clock, total=1000, shares={"a": 1})
    tracker.update_work_progress(1)
    shown = []
    for _ in range(120):
        tracker.note_pulse(0.99)
        shot = tracker.snapshot()
        shown.append((int(1000 * shot.progress), int(100 * shot.stage_progress), shot.message))
        clock.now += 0.25
    assert shown[0][2] == "A: 1/1000"
    assert shown[-1][2] == tracker.message == "A: 1/1000, 30 s"
    for before, after in zip(shown, shown[5:], strict=False):
        assert before != after
    tracker.update_work_progress(2)
    assert tracker.snapshot().message == tracker.message == "A: 2/1000"


def test_what_is_looked_at_for_the_first_time_is_shown_where_it_is(clock):
    tracker = begun(clock, total=4)
    tracker.update_work_progress(2)
    assert tracker.snapshot().progress == 0.25


def test_a_run_that_goes_on_from_a_backup_is_shown_where_it_was(clock):
    tracker = begun(clock, total=4, shares={"a": 1})
    tracker.update_work_progress(3)
    tracker.calculate_smooth_progress()
    other = ProgressTracker({"a": 1}, clock=clock)
    assert other.snapshot().progress == 0.0
    other.load_state_dict(tracker.state_dict())
    assert other.snapshot().progress == pytest.approx(0.75)
