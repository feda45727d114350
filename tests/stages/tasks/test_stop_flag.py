"""A word to work that runs aside."""

import pickle

from schoolbell.stages.tasks.stop_flag import StopFlag


def test_setting_calls_what_waits_and_only_once():
    flag, calls = StopFlag(), []
    flag.call_when_set(lambda: calls.append(1))
    flag.set()
    flag.set()
    assert flag.is_set
    assert calls == [1]


def test_an_action_that_comes_late_is_called_at_once():
    flag, calls = StopFlag(), []
    flag.set()
    flag.call_when_set(lambda: calls.append(1))
    assert calls == [1]


def test_a_forgotten_action_is_not_called():
    flag, calls = StopFlag(), []
    flag.call_when_set(lambda: calls.append(1))()
    flag.set()
    assert calls == []


def test_another_process_gets_a_flag_of_its_own():
    flag = StopFlag()
    flag.set()
    assert not pickle.loads(pickle.dumps(flag)).is_set
