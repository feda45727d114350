"""Foretells how long a run will still take."""

import math
from collections.abc import Mapping, Sequence

from .stage_timing import StageTiming
from .unit_clock import UnitClock

# Earlier timings hold as they are until so much of them, and so many seconds, were lived through.
_TRUST = 0.3
_TRUST_SECONDS = 0.2
# Where the units seem to need so much of a stage's time, the stage takes it all: stages
# with a budget fit their units into it.
_FILLS = 0.6


class Forecast:
    """Adds up what the stage in hand and those to come will take.

    The stage in hand is foretold from its recent units, or from the curve that
    it took in an earlier run, at the pace of this run. A stage to come takes what
    it took then; where there is no earlier run, what its share is worth by the
    stages so far. With a time limit a stage takes at most its part of the time
    left, and all of that where nothing is known.

    Parameters
    ----------
    shares
        Share of each stage, by name, in their order.
    timings
        What stages took in an earlier run, by name, with a time limit if this
        run has one, without if not.
    """

    def __init__(
        self, shares: Mapping[str, float], timings: Mapping[str, StageTiming] | None = None
    ) -> None:
        self._shares = dict(shares)
        self._names = list(shares)
        self._timings = dict(timings or {})
        #: What each stage took that has ended.
        self.past: dict[str, float] = {}

    def seconds_left(
        self,
        now: float,
        stage: str,
        total: int | None,
        clock: UnitClock | None,
        ends_at: float | None,
        time_limit: float | None,
    ) -> float | None:
        """Return the seconds that the run will still take; None while that cannot be told.

        Parameters
        ----------
        now
            Seconds on the run's clock.
        stage
            The stage in hand, or the last one.
        total
            Its units in all; None while not known.
        clock
            Its units so far; None when it has ended.
        ends_at
            When its time is over; None without a limit.
        time_limit
            When the run's time is over; None without a limit.
        """
        limit = math.inf if time_limit is None else max(0.0, time_limit - now)
        in_stage = 0.0
        seconds, share = self._past_in_all()
        if clock is not None:
            of_stage = self._left_of_stage(now, stage, total, clock, ends_at)
            if of_stage is None:
                return None if limit == math.inf else limit
            in_stage = min(of_stage, limit)
            seconds += now - clock.began + in_stage
            share += self._shares[stage]
        later = self._names[self._names.index(stage) + 1 :]
        if limit < math.inf:
            return min(limit, in_stage + self._in_time(later, limit - in_stage))
        return in_stage + self._without_limit(later, seconds / share if share else 0.0)

    def _left_of_stage(
        self, now: float, stage: str, total: int | None, clock: UnitClock, ends_at: float | None
    ) -> float | None:
        limit = math.inf if ends_at is None else max(0.0, ends_at - now)
        timing = self._timings.get(stage)
        if timing is not None and timing.spends_budget and limit < math.inf:
            return limit
        if timing is not None:
            return min(limit, self._by_timing(timing, now, total, clock))
        if total is not None and clock.unit_seconds is not None:
            by_units = _by_units(now, total, clock.unit_seconds, clock)
            return limit if by_units > _FILLS * limit else by_units
        if limit < math.inf:
            return limit
        past_seconds, past_share = self._past_in_all()
        if not past_share:
            return None
        gone = now - clock.began
        expected = past_seconds / past_share * self._shares[stage]
        # Once that is over, nobody knows: perhaps as long again.
        return max(expected - gone, min(gone, expected))

    def _by_timing(
        self, timing: StageTiming, now: float, total: int | None, clock: UnitClock
    ) -> float:
        total = timing.units if total is None else total
        if not (total and timing.units):
            return max(0.0, timing.seconds * self._pace() - (now - clock.began))
        # More units than then, or fewer, take more or less time.
        pace = self._pace() * total / timing.units
        part, following = clock.done / total, (clock.done + 1) / total
        lived, trust = pace * timing.at(part), _TRUST * pace * timing.seconds + _TRUST_SECONDS
        pace *= (clock.at - clock.began + trust) / (lived + trust)
        unit = pace * (timing.at(following) - timing.at(part))
        return clock.in_hand(unit, now) + pace * (timing.seconds - timing.at(following))

    def _pace(self) -> float:
        """How many times as long as then the stages so far took."""
        trust = _TRUST * sum(one.seconds for one in self._timings.values()) + _TRUST_SECONDS
        took = expected = trust
        for stage, seconds in self.past.items():
            timing = self._timings.get(stage)
            if timing is not None and not timing.spends_budget:
                took += seconds
                expected += timing.seconds
        return took / expected

    def _past_in_all(self) -> tuple[float, float]:
        """Return what the stages so far took, and their share."""
        return sum(self.past.values()), sum(self._shares[stage] for stage in self.past)

    def _in_time(self, stages: Sequence[str], left: float) -> float:
        """What stages to come take of the time left, each of its part of that."""
        begin = left
        shares = sum(self._shares[name] for name in stages)
        for name in stages:
            budget = left * self._shares[name] / shares
            shares -= self._shares[name]
            timing = self._timings.get(name)
            if timing is None or timing.spends_budget:
                left -= budget
            else:
                left -= min(budget, timing.seconds * self._pace())
        return begin - left

    def _without_limit(self, stages: Sequence[str], rate: float) -> float:
        """What stages to come take, those without timings `rate` seconds for each of share."""
        seconds = 0.0
        for name in stages:
            timing = self._timings.get(name)
            known = timing is not None
            seconds += timing.seconds * self._pace() if known else rate * self._shares[name]
        return seconds


def _by_units(now: float, total: int, seconds: float, clock: UnitClock) -> float:
    """What the rest of a stage's units take, if each takes so many seconds."""
    if clock.done >= total:
        return 0.0
    gone = max(0.0, now - clock.at)
    # A unit that is overdue lets expect longer ones.
    span = min(clock.done, 5) + 1
    unit = max(seconds, seconds + (gone - seconds) / span)
    return clock.in_hand(unit, now) + unit * (total - clock.done - 1)
