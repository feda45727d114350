"""Waiting while the stage goes on yielding."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from schoolbell.stages import Pulse
from schoolbell.stages.tasks.waiting import part_of_time, run_aside, wait_all, within


def test_yields_pulses_until_the_last_is_done_and_keeps_the_order():
    first, second = Future(), Future()
    second.set_result("second")
    waiting = wait_all([first, second])
    assert next(waiting) is None
    first.set_result("first")
    with pytest.raises(StopIteration) as end:
        while True:
            next(waiting)
    assert end.value.value == ["first", "second"]


def test_raises_what_a_task_raises():
    def fail():
        raise ZeroDivisionError

    with ThreadPoolExecutor(1) as pool, pytest.raises(ZeroDivisionError):
        list(wait_all([pool.submit(fail)]))


def test_a_closed_wait_does_not_wait():
    release = Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = wait_all([pool.submit(release.wait)])
        next(waiting)
        waiting.close()
        release.set()


def test_a_function_that_runs_aside_lets_the_stage_yield():
    release = Event()
    running = run_aside(lambda number: release.wait() and number + 1, 4)
    assert next(running) is None
    release.set()
    with pytest.raises(StopIteration) as end:
        while True:
            next(running)
    assert end.value.value == 5


def test_a_closed_stage_does_not_wait_for_what_runs_aside():
    release = Event()
    running = run_aside(release.wait)
    next(running)
    running.close()
    release.set()


def parts_of(pulses):
    return [pulse.part for pulse in pulses]


def test_pulses_tell_by_the_expected_time_how_much_of_the_work_is_done():
    release = Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = wait_all([pool.submit(release.wait)], expected=0.2, message="Waiting")
        pulses = [next(waiting) for _ in range(5)]
        release.set()
        waiting.close()
    assert parts_of(pulses) == sorted(set(parts_of(pulses)))
    assert 0 < pulses[0].part < pulses[-1].part < 1
    assert pulses[0].message == "Waiting, 0 s"


def test_pulses_count_what_is_done_of_several():
    futures = [Future() for _ in range(4)]
    waiting = wait_all(futures, expected=1e9)
    assert next(waiting).part == pytest.approx(0.0, abs=1e-3)
    futures[2].set_result(None)
    assert next(waiting).part == pytest.approx(0.25, abs=1e-3)
    waiting.close()


def test_pulses_count_what_the_work_itself_counts():
    counted = [0, 300]
    waiting = wait_all([Future()], 1e9, "Placing", lambda: tuple(counted))
    assert next(waiting).message == "Placing, 0 s"
    for counted[0] in (100, 200):
        pulse = next(waiting)
        assert pulse.part == pytest.approx(counted[0] / 300)
        assert pulse.message == f"Placing: {counted[0]}/300"
    counted[0] = 300
    assert next(waiting).message == "Placing, 0 s"
    waiting.close()


def test_time_alone_never_tells_that_work_is_done():
    parts = [part_of_time(gone, 2.0) for gone in (0, 0.5, 1, 2, 3, 30, 3000)]
    assert parts == sorted(set(parts))
    assert parts[0] == 0
    assert parts[3] == pytest.approx(0.9)
    assert parts[-1] < 1


def test_a_part_of_a_unit_is_told_as_such_and_closed_with_it():
    closed = []

    def work():
        try:
            yield Pulse(0.5, "half")
            yield None
            return "result"
        finally:
            closed.append(True)

    stream = within(0.2, 0.6, work())
    pulse = next(stream)
    assert (pulse.part, pulse.message) == (pytest.approx(0.4), "half")
    assert next(stream) is None
    with pytest.raises(StopIteration) as end:
        next(stream)
    assert end.value.value == "result"
    stream = within(0.0, 1.0, work())
    next(stream)
    stream.close()
    assert closed == [True, True]
