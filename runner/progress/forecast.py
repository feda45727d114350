"""Foretells how long a run will still take."""

import math
from collections.abc import Iterable, Mapping, Sequence

from .stage_timing import StageTiming
from .unit_clock import UnitClock

# Earlier timings of the stage in hand hold as they are until so much of it was lived through, and
# at least so many seconds.
_TRUST_OF_STAGE = 0.1
_TRUST_SECONDS = 0.2
# That this run is as fast as the earlier one counts as much as so many stages that were; stages
# shorter than so many seconds count less.
_STAGES_OF_TRUST = 1.0
_SHORT_SECONDS = 0.5
# A stage that took more than so many times as long, or as short, had a reason of its own, such as a
# first compilation.
_MOST_RATIO = 3.0
# What a stage's share is worth counts as much as so many of its units.
_UNITS_OF_SHARE = 8
# And of what stages expect themselves, which is rougher, but tells how fast the machine is.
_MOST_OF_HINT = 20.0
# That this machine is a usual one counts as much as so many stages that tell otherwise.
_HINTS_OF_TRUST = 0.5
# What a stage expects itself counts as much as this part of it that was done.
_PART_OF_HINT = 0.1
# What the stages so far say of those to come counts in full from this share of the run on.
_TELLING_SHARE = 0.5
# Where the units seem to need so much of a stage's time, the stage takes it all: stages
# with a budget fit their units into it.
_FILLS = 0.6


class Forecast:
    """Adds up what the stage in hand and those to come will take.

    The stage in hand is foretold from its recent units and what pulses tell of the
    one in hand, or from the curve that it took in an earlier run, at the pace of
    this run. A stage to come takes what it took then, at that pace; where there is
    no earlier run, what it expects itself; where it does not tell, what its share
    is worth by the stages so far, the less of it the smaller their share. With a
    time limit a stage takes at most its part of the time left, and all of that
    where nothing is known.

    Parameters
    ----------
    shares
        Share of each stage, by name, in their order.
    timings
        What stages took in an earlier run, by name, with a time limit if this
        run has one, without if not.
    time_shares
        Share of each stage in a time limit; `shares` by default.

    Attributes
    ----------
    hints
        Seconds that stages expect to take, by name, of those that can tell.
    past
        What each stage took that has ended.
    counted
        What those expected that had told it, and what they took without what tells nothing
        of the machine.
    """

    def __init__(
        self,
        shares: Mapping[str, float],
        timings: Mapping[str, StageTiming] | None = None,
        time_shares: Mapping[str, float] | None = None,
    ) -> None:
        self._shares = dict(shares)
        self._time_shares = dict(time_shares or shares)
        self._names = list(shares)
        self._timings = dict(timings or {})
        self.hints: dict[str, float] = {}
        self.past: dict[str, float] = {}
        self.counted: list[tuple[float, float]] = []
        self._in_hand = ("", 0.0)

    def end_stage(self, stage: str, seconds: float, uncounted: float = 0.0) -> None:
        """Take in that a stage has ended after so many seconds."""
        self.past[stage] = seconds
        if stage in self.hints:
            self.counted.append((self.hints[stage], max(0.0, seconds - uncounted)))

    def knows(self, stages: Sequence[str]) -> bool:
        """Tell whether an earlier run tells of any of these stages."""
        return any(name in self._timings for name in stages)

    def expected(self, stages: Sequence[str], left: float | None) -> list[float]:
        """Return what each of the stages to come is expected to take.

        Parameters
        ----------
        stages
            The next one and all after it.
        left
            Time left for them; None without a limit.
        """
        if left is not None:
            return self._in_time(stages, left)
        known = {name: self.of_stage(name) for name in stages}
        share = sum(self._shares[name] for name, one in known.items() if one is not None)
        seconds = sum(one for one in known.values() if one is not None)
        # By their shares where a stage cannot tell, and no stage can.
        worth = seconds / share if seconds > 0 else 1.0
        return [worth * self._shares[name] if one is None else one for name, one in known.items()]

    def of_stage(self, stage: str) -> float | None:
        """Return what a stage takes in all by an earlier run or by what it expects itself.

        None where nobody can tell, or where it takes all the time that it gets.
        """
        timing = self._timings.get(stage)
        if timing is not None:
            return None if timing.spends_budget else timing.seconds * self._pace()
        return self._hint(stage)

    def _hint(self, stage: str) -> float | None:
        """Return what a stage expects itself, on a machine as fast as this one seems to be."""
        hint = self.hints.get(stage)
        return None if hint is None else hint * self._speed()

    def _speed(self) -> float:
        """How many times as long as they expected the stages so far took."""
        pairs = list(self.counted)
        stage, took = self._in_hand
        if took > self.hints.get(stage, math.inf):
            pairs.append((self.hints[stage], took))
        return _pace(pairs, _MOST_OF_HINT, _HINTS_OF_TRUST)

    def seconds_of_all(self, time_limit: float | None, now: float) -> float | None:
        """Return the seconds that the run will still take, before its first stage."""
        if time_limit is not None:
            left = max(0.0, time_limit - now)
            return min(left, sum(self._in_time(self._names, left)))
        if not self.knows(self._names):
            return None
        return sum(self.expected(self._names, None))

    def seconds_left(
        self,
        now: float,
        stage: str,
        total: int | None,
        clock: UnitClock | None,
        ends_at: float | None,
        time_limit: float | None,
        uncounted: float = 0.0,
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
        uncounted
            Seconds of the stage that tell nothing of the machine, as of a compilation.
        """
        limit = math.inf if time_limit is None else max(0.0, time_limit - now)
        in_stage = 0.0
        seconds, share = self._past_in_all()
        later = self._names[self._names.index(stage) + 1 :]
        self._in_hand = stage, 0.0 if clock is None else now - clock.began - uncounted
        if clock is not None:
            of_stage = self._left_of_stage(now, stage, total, clock, ends_at)
            if of_stage is None:
                hinted = sum(self._hint(name) or 0.0 for name in later)
                return (hinted or None) if limit == math.inf else limit
            in_stage = min(of_stage, limit)
            seconds += now - clock.began + in_stage
            share += self._shares[stage]
        if limit < math.inf:
            return min(limit, in_stage + sum(self._in_time(later, limit - in_stage)))
        return in_stage + self._without_limit(later, seconds, share)

    def _left_of_stage(
        self, now: float, stage: str, total: int | None, clock: UnitClock, ends_at: float | None
    ) -> float | None:
        limit = math.inf if ends_at is None else max(0.0, ends_at - now)
        timing = self._timings.get(stage)
        if timing is not None and timing.spends_budget and limit < math.inf:
            return limit
        if timing is not None:
            return min(limit, self._by_timing(timing, now, total, clock))
        hint = self._hint(stage)
        expected = self._by_share(stage) if hint is None else hint
        unit = clock.expected(clock.unit_seconds)
        if total is not None and unit is not None:
            if expected is not None and (hint is not None or limit == math.inf):
                # The first units of a stage are often unlike the others.
                units = _UNITS_OF_SHARE if hint is None else _PART_OF_HINT * total
                part = units / (clock.done + clock.part + units)
                unit += part * (expected / max(total, 1) - unit)
            by_units = _by_units(now, total, unit, clock)
            if hint is None and max(by_units, _by_mean(now, total, clock)) > _FILLS * limit:
                return limit
            return min(by_units, limit)
        if limit < math.inf and hint is None:
            return limit
        if expected is None:
            return None
        gone = now - clock.began
        # Once that is over, nobody knows: perhaps as long again.
        return min(limit, max(expected - gone, min(gone, expected)))

    def _by_timing(
        self, timing: StageTiming, now: float, total: int | None, clock: UnitClock
    ) -> float:
        units = _units_like_then(timing, total, clock.done)
        if not (units and timing.units):
            return max(0.0, timing.seconds * self._pace() - (now - clock.began))
        # More units than then, or fewer, take more or less time.
        expected = self._pace() * units / timing.units
        part, following = (clock.done + clock.part) / units, (clock.done + 1) / units
        trust = _TRUST_OF_STAGE * expected * timing.seconds + _TRUST_SECONDS
        took, lived = clock.part_at - clock.began, expected * timing.at(part)
        pace = (took + trust) / (lived + trust)
        # A unit that is overdue lets expect longer ones.
        took, lived = now - clock.began, expected * timing.at(following)
        pace = expected * max(pace, (took + trust) / (lived + trust))
        unit = pace * (timing.at(following) - timing.at(part))
        return clock.rest(unit, now) + pace * (timing.seconds - timing.at(following))

    def _pace(self) -> float:
        """How many times as long as then the stages so far took."""
        pairs = [
            (self._timings[stage].seconds, seconds)
            for stage, seconds in self.past.items()
            if stage in self._timings and not self._timings[stage].spends_budget
        ]
        return _pace(pairs, _MOST_RATIO)

    def _by_share(self, stage: str) -> float | None:
        """What a stage takes by what the shares of the stages so far were worth."""
        seconds, share = self._past_in_all()
        return self._worth(self._shares[stage], seconds, share) if share else None

    def _worth(self, ahead: float, seconds: float, share: float) -> float:
        """What a share ahead takes, where so many seconds went into another one."""
        # A small share tells little of the rest; without a share, a run of some age is as
        # likely to last another such age as not (J. R. Gott, Nature 363, 1993).
        telling = min(1.0, share / sum(self._shares.values()) / _TELLING_SHARE)
        return (seconds / share * ahead) ** telling * seconds ** (1.0 - telling)

    def _past_in_all(self) -> tuple[float, float]:
        """Return what the stages so far took, and their share."""
        return sum(self.past.values()), sum(self._shares[stage] for stage in self.past)

    def _in_time(self, stages: Sequence[str], left: float) -> list[float]:
        """What stages to come take of the time left, each of its part of that."""
        seconds = []
        shares = sum(self._time_shares[name] for name in stages)
        for name in stages:
            budget = left * self._time_shares[name] / shares
            shares -= self._time_shares[name]
            known = self.of_stage(name)
            seconds.append(budget if known is None else min(budget, known))
            left -= seconds[-1]
        return seconds

    def _without_limit(self, stages: Sequence[str], seconds: float, share: float) -> float:
        """What stages to come take, where those so far, of this share, take so many seconds."""
        known = {name: self.of_stage(name) for name in stages}
        told = sum(one for one in known.values() if one is not None)
        unknown = sum(self._shares[name] for name, one in known.items() if one is None)
        if not (unknown and share and seconds):
            return told
        return told + self._worth(unknown, seconds, share)


def _pace(
    pairs: Iterable[tuple[float, float]], most: float, trust: float = _STAGES_OF_TRUST
) -> float:
    """Return how many times as long as expected something takes, where others so far took so."""
    logarithm, stages = 0.0, trust
    for expected, seconds in pairs:
        # One that took long tells much, however little was expected.
        long = max(expected, seconds)
        part = long / (long + _SHORT_SECONDS)
        ratio = (seconds + _TRUST_SECONDS) / (expected + _TRUST_SECONDS)
        logarithm += part * math.log(min(max(ratio, 1.0 / most), most))
        stages += part
    return math.exp(logarithm / stages)


def _units_like_then(timing: StageTiming, total: int | None, done: int) -> float:
    """Return how many units a stage does if it ends as early, of its total, as then."""
    if total is None:
        return timing.units
    part = 1.0 if not timing.total else min(1.0, timing.units / timing.total)
    return max(total * part, min(done + 1, total))


def _by_mean(now: float, total: int, clock: UnitClock) -> float:
    """What the rest of a stage's units take, if they go on as on average."""
    done = clock.done + clock.part
    return (now - clock.began) / done * (total - done) if done else 0.0


def _by_units(now: float, total: int, seconds: float, clock: UnitClock) -> float:
    """What the rest of a stage's units take, if each takes so many seconds."""
    if clock.done >= total:
        return 0.0
    unit = seconds
    if not clock.part:
        # A unit that is overdue lets expect longer ones.
        gone = max(0.0, now - clock.at)
        span = min(clock.done, 5) + 1
        unit = max(seconds, seconds + (gone - seconds) / span)
    return clock.in_hand(unit, now) + unit * (total - clock.done - 1)
