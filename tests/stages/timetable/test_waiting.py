"""Waiting while the stage goes on yielding."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

import pytest
from schoolbell.stages.timetable.waiting import run_aside, wait_all


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
