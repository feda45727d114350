"""What a stage may spend."""

import math
import subprocess
import sys
import threading
import warnings

import pytest
from schoolbell.stages import Budget


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_time_is_counted_from_the_beginning_of_the_stage():
    clock = Clock()
    budget = Budget(10, clock=clock)
    clock.now += 4
    assert (budget.elapsed, budget.remaining, budget.should_end) == (4, 6, False)
    clock.now += 6
    assert (budget.remaining, budget.should_end) == (0, True)
    clock.now += 1
    assert budget.remaining == 0


def test_without_a_limit_only_somebody_ends_it():
    asked = []
    budget = Budget(ending=lambda: bool(asked))
    assert (budget.remaining, budget.should_end) == (math.inf, False)
    asked.append("stop")
    assert budget.should_end


@pytest.mark.parametrize("seconds", [-1, math.nan])
def test_impossible_seconds_are_refused(seconds):
    with pytest.raises(ValueError, match="seconds must be 0 or more"):
        Budget(seconds)


def test_when_the_stage_has_ended_everybody_is_told_to_end():
    budget = Budget(1000)
    budget.end()
    assert budget.should_end


def test_a_function_for_the_end_is_called_once_in_the_thread_that_ends_the_stage():
    budget, called = Budget(), []
    budget.on_end(lambda: called.append((threading.current_thread(), budget.should_end)))
    assert not called
    thread = threading.Thread(target=budget.end)
    thread.start()
    thread.join()
    budget.end()
    assert called == [(thread, True)]


def test_a_function_for_an_end_that_has_come_is_called_at_once():
    budget, called = Budget(), []
    budget.end()
    budget.on_end(lambda: called.append("ended"))
    assert called == ["ended"]
    asked = Budget(ending=lambda: True)
    asked.on_end(lambda: called.append("asked"))
    spent = Budget(0)
    spent.on_end(lambda: called.append("spent"))
    assert called == ["ended", "asked", "spent"]


def test_a_function_for_the_end_is_called_when_the_time_is_spent():
    called = threading.Event()
    Budget(0.02).on_end(called.set)
    assert called.wait(10)


def test_what_a_function_for_the_end_raises_is_warned_of():
    def fail():
        raise ZeroDivisionError("no way to stop")

    budget, called = Budget(), []
    budget.on_end(fail)
    budget.on_end(lambda: called.append("after it"))
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError: no way to stop"):
        budget.end()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        budget.on_end(fail)
    assert called == ["after it"]


def test_a_blocking_iterator_pulses_while_it_gives_nothing():
    release = threading.Event()

    def slow():
        yield "first"
        release.wait(10)
        yield "last"

    seen = []
    for item in Budget().pulsing(slow()):
        seen.append(item)
        if item is None:
            release.set()
    assert seen[0] == "first"
    assert None in seen
    assert [one for one in seen if one is not None] == ["first", "last"]


def test_what_a_blocking_iterator_raises_arrives_with_its_traceback():
    def failing():
        yield 1
        raise ZeroDivisionError("of the iterator")

    with pytest.raises(ZeroDivisionError, match="of the iterator") as caught:
        list(Budget().pulsing(failing()))
    assert caught.traceback[-1].name == "failing"


def test_pulsing_ends_at_once_when_the_stage_does_and_closes_the_generator_later():
    budget, release, closed = Budget(), threading.Event(), threading.Event()

    def hanging():
        try:
            yield 1
            release.wait(10)
            yield 2
        finally:
            closed.set()

    stream = budget.pulsing(hanging())
    assert next(stream) == 1
    threading.Timer(0.02, budget.end).start()
    assert list(stream) == []
    assert not closed.is_set()
    release.set()
    assert closed.wait(10)


def test_an_iterator_is_not_ahead_of_who_takes_its_items():
    given = []

    def items():
        for number in range(5):
            given.append(number)
            yield number

    for number in Budget().pulsing(items()):
        assert number is None or len(given) == number + 1


def test_a_subprocess_s_output_comes_line_by_line():
    script = "import time; print('one', flush=True); time.sleep(0.3); print('two')"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = list(Budget().pulsing(process.stdout))
    assert [line.strip() for line in lines if line] == ["one", "two"]


def test_a_stage_may_wait_for_any_number_of_iterators():
    budget = Budget()
    for _ in range(3):
        assert [one for one in budget.pulsing("ab") if one] == ["a", "b"]
    assert not budget._functions
