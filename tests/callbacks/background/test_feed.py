"""What all feeds do: they never wait, forget the oldest, and try the last delivery again."""

import threading

import pytest
from schoolbell.callbacks.background.feed import Feed


class Target(Feed):
    """Delivers to a list, after so many failures."""

    def __init__(self, failures=0):
        super().__init__(0.01, "delivering", most_waiting=3)
        self.failures, self.delivered, self.released = failures, [], threading.Event()
        self._pause = 0.001

    def leave(self, one):
        self._inbox.append(one)

    def _deliver(self):
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        while self._inbox:
            self.delivered.append(self._inbox.popleft())

    def _release(self):
        self.released.set()


def test_the_oldest_is_lost_of_more_than_the_inbox_holds():
    feed = Target()
    for number in range(5):
        feed.leave(number)
    assert feed._end()
    assert feed.delivered == [2, 3, 4]


def test_the_last_delivery_is_tried_again_until_it_succeeds():
    feed = Target(failures=3)
    feed.leave("end")
    assert feed._end()
    assert feed.delivered == ["end"]
    assert feed.released.is_set()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_target_that_stays_away_is_given_up(monkeypatch):
    monkeypatch.setattr(Target, "last_seconds", 0.0)
    feed = Target(failures=1_000_000)
    feed.leave("end")
    # True, since a warning was given.
    assert feed._end()
    assert feed.released.wait(10)
    assert not feed.delivered


def test_progress_never_goes_back():
    feed = Target()
    assert [feed._forward(one) for one in (0.2, 0.1, 0.3)] == [0.2, 0.2, 0.3]
