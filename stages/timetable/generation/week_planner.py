"""Gives generated courses their periods in the hidden timetable."""

import numpy as np

NEW_DAY = 10.0
SAME_GROUP = 100.0
NOISE = 1.5


class WeekPlanner:
    """Spreads lectures evenly over the periods of a week.

    Parameters
    ----------
    days, periods_per_day
        The week.
    n_rooms
        Rooms to begin with; no period gets more lectures than there are rooms.
    rng
        Source of chance.
    """

    def __init__(
        self, days: int, periods_per_day: int, n_rooms: int, rng: np.random.Generator
    ) -> None:
        self.n_rooms = n_rooms
        self._rng = rng
        self._loads = np.zeros((days, periods_per_day), np.int64)
        self._of_group = np.zeros((days, periods_per_day), np.bool_)

    def begin_group(self) -> None:
        """Begin a group of courses that get different periods as long as there are any."""
        self._of_group[:] = False

    def place(self, lectures: int) -> list[int]:
        """Return different periods for the lectures of a course, ascending.

        Takes a room more where those that there are do not suffice.
        """
        while np.count_nonzero(self._loads < self.n_rooms) < lectures:
            self.n_rooms += 1
        price = self._loads - self._loads.min() + NOISE * self._rng.random(self._loads.shape)
        price += SAME_GROUP * self._of_group
        price[self._loads >= self.n_rooms] = np.inf
        # The cheapest period of each day first, then the second one of each day.
        in_day = np.argsort(np.argsort(price, axis=1), axis=1)
        order = np.argsort((price + NEW_DAY * in_day).reshape(-1))
        periods = np.sort(order[:lectures])
        self._loads.reshape(-1)[periods] += 1
        self._of_group.reshape(-1)[periods] = True
        return periods.tolist()
