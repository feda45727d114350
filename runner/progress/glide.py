"""What a person is shown of a number that may jump."""

import math

# A quarter of a point is no jump; more of it is shown at under two points in half a second.
_AT_ONCE = 0.0025
_SPEED = 0.035
# Where the number itself moves on faster than that, as in a run of a few seconds, it is followed at
# a tenth more than its speed over so many seconds.
_HURRY = 1.1
# With this speed half a second makes three points, with what may come at once. It is kept to
# where that leaves what is shown only a little behind; a run of a few seconds goes faster.
_EVEN, _TOO_FAST = 0.055, 0.075
_SECONDS = 3.5
# With a time limit it gets to the end in the time that is left, down to so much.
_LAST_SECONDS = 1.0
# What jumped far is nearly caught up with after so many seconds.
_CATCH_UP = 2.8


class Glide:
    """Follows the progress of a run at a speed that the eye can follow, and never goes ahead of it.

    A stage whose fixed part of the bar is over in an instant lets the number jump; what is shown
    makes up for that within the next seconds. What nobody has seen before has made no jump.
    """

    def __init__(self) -> None:
        self._shown = self._value = 0.0
        self._at: float | None = None
        # How far it may go at once, and how fast the number has been lately.
        self._room, self._speed = _AT_ONCE, 0.0

    def jump(self, value: float, now: float) -> None:
        """Show a value at once, as of a run that goes on from a backup."""
        self._shown = self._value = max(self._shown, value)
        self._at = now

    def follow(self, value: float, now: float, left: float | None) -> float:
        """Return what is shown while the number is at `value`.

        Parameters
        ----------
        value
            0 to 1, never less than before.
        now
            Seconds on the run's clock.
        left
            Seconds that the run has at most, in which the rest has to be shown; None
            where nobody knows.
        """
        if self._at is None:
            self.jump(value, now)
            return value
        seconds, gap = max(0.0, now - self._at), max(0.0, value - self._shown)
        lately = math.exp(-seconds / _SECONDS)
        self._speed = lately * self._speed + (value - self._value) / _SECONDS
        speed = max(_SPEED, gap / _CATCH_UP, _HURRY * self._speed)
        if left is not None:
            speed = max(speed, _HURRY * (1.0 - self._shown) / max(left, _LAST_SECONDS))
        if speed < _TOO_FAST:
            speed = min(speed, _EVEN)
        room = self._room + speed * seconds
        step = min(gap, room)
        self._shown, self._value, self._at = self._shown + step, value, now
        self._room = min(room - step, _AT_ONCE)
        return self._shown
