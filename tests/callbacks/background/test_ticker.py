"""A function that is called now and then."""

import threading

import pytest
from schoolbell.callbacks.background.ticker import Ticker


def test_it_calls_again_and_again_and_once_more_at_the_end():
    third, calls = threading.Event(), []

    def call():
        calls.append(threading.current_thread())
        if len(calls) == 3:
            third.set()

    ticker = Ticker(call, 0.001, "the test")
    ticker.start()
    assert third.wait(10)
    ticker.stop()
    count = len(calls)
    assert count > 3
    assert threading.current_thread() not in calls
    assert not calls[0].is_alive()


def test_in_a_hurry_it_waits_half_the_time_only(monkeypatch):
    called, asked = threading.Event(), []
    ticker = Ticker(called.set, 60, "the test")
    over = ticker._over.is_set
    monkeypatch.setattr(ticker._over, "wait", lambda seconds: asked.append(seconds) or over())
    ticker.hurry()
    ticker.start()
    assert called.wait(10)
    ticker.stop()
    assert set(asked) == {30}


def test_an_error_is_warned_of_once_and_the_calls_go_on():
    third, calls = threading.Event(), []

    def call():
        calls.append(1)
        if len(calls) == 3:
            third.set()
        raise OSError("broken pipe")

    ticker = Ticker(call, 0.001, "the test")
    with pytest.warns(RuntimeWarning, match="the test failed: OSError: broken pipe") as warned:
        ticker.start()
        assert third.wait(10)
        ticker.stop()
    assert len(warned) == 1
