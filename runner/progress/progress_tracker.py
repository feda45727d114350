"""How far a run is, read from any thread."""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import EllipsisType
from typing import Any, Literal, NamedTuple

from ...callbacks import Snapshot
from ...callbacks.vocabulary import FINISHED, LIVE, RUNNING
from ...stages.plain_data import as_number
from .forecast import Forecast
from .glide import Glide
from .stage_timing import StageTiming
from .unit_clock import UnitClock

# A stage with an unknown total is taken to be half through after this many units.
_HALF_WAY = 20
# Expected seconds of a unit before any was timed.
_FIRST_UNIT = 2.0
# Shorter units are passed before a watcher sees them move; but when one of them is suddenly long,
# it must not be shown as all but done after no time.
_SHORTEST_UNIT = 1.0
# Of a unit of which no pulse tells, what is shown done when it is due.
_DUE = 0.8
# Of what is left of a unit, what progress moves through evenly; the rest it never quite reaches.
_EVENLY = 0.95
# Progress that is further than is known moves on so many times slower.
_OVERDUE = 8.0
# What is left of a unit lasts at least so many seconds, however small it is.
_LITTLE_ROOM = 2.0
# The most that progress moves in a second on time alone: two and a half points in half a second.
_FASTEST = 0.05
# And where nobody knows how long a unit takes.
_CAUTIOUS = 0.02
# What a person sees: a thousandth of the run, a hundredth of the stage. So many of them are passed
# in a second, or in a hundredth of a longer run, however long a unit takes.
_OF_RUN, _OF_STAGE = 0.001, 0.01
_STEPS = 1.5
_LONG_RUN = 100.0
# Where nothing of that has moved for so long, or for that part of a longer run, the message counts
# the seconds of the unit in hand until it is done.
_STILL_SECONDS = 0.7
# Of the last unit of a stage, what is shown done only when the stage has ended: with all its units
# done it may still have something to do.
_KEPT_BACK = 0.1
# Of a stage to come, what may be shown done while it is being prepared.
_PREPARED = 0.05
# A stage of which nothing is expected has this part of what is left all the same.
_LEAST_PART = 0.002
_ALMOST_ONE = math.nextafter(1.0, 0.0)

Follow = Literal["work", "time"]
"""What the parts of the bar follow."""


class _Pulse(NamedTuple):
    """What a stage told of the unit in hand: of which, and when."""

    part: float | None = None
    message: str | None = None
    unit: int = 0
    at: float = 0.0


_NO_PULSE = _Pulse()


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of a stage over which progress is one function of the units done.

    Progress at `done` units is `floor` plus the rest of the way to `end`: in
    equal parts up to `total`, or ever smaller ones while no total is known.
    """

    end: float
    total: int | None
    done: int
    floor: float

    @property
    def ends(self) -> tuple[float, float]:
        """Where it begins and ends."""
        return self.floor, self.end

    def retotalled(
        self, before: int, done: int, total: int | None, start: float, least: float = 0.0
    ) -> "_Segment":
        """Return the segment for a new total, which takes nothing back.

        Parameters
        ----------
        before, done
            Units finished under the old total, and now.
        total
            The new total.
        start
            Where the stage begins.
        least
            Progress at `before` units that must not be taken back either.
        """
        floor = max(least, self.at(before))
        plain = _Segment(end=self.end, total=total, done=0, floor=start)
        if plain.at(done) >= floor:
            return plain
        return replace(plain, done=before, floor=min(floor, self.end))

    def at(self, done: int) -> float:
        """Progress of the whole run when `done` units are finished."""
        ahead = max(0, done - self.done)
        if self.total is None:
            part = ahead / (ahead + _HALF_WAY)
        elif done >= self.total:
            return self.end
        else:
            part = ahead / (self.total - self.done)
        return min(self.end, self.floor + (self.end - self.floor) * part)


class ProgressTracker:
    """Counts the work of a run and tells how far it is.

    One thread does the work and leaves numbers here; any others read. Leaving
    a number is a plain store: clocks and locks are the readers' business, who
    notice when a unit is finished and how long units take. So it wants to be
    read about as often as what it says is to move.

    The progress of the work depends on the work alone, not on who reads. The
    smooth progress lies between that and the end of the unit in hand, never goes
    back, and is 1 only when the run has finished. Within a unit it follows what
    pulses tell of it, and moves on at their speed to where the next one is
    expected; where there are none it moves on the time that a unit is expected
    to take. What is overdue goes on slowly, but so that a person sees it move.
    It does not stand still either where a stage has done all the units of its
    total and goes on, or where the run is between two stages: the end of a stage
    is kept for when it has ended, and a little of the next one is what it takes
    to begin. Where a total grows, what is left of the stage's part is divided
    among the units that are left. What a `snapshot` shows of it glides: it makes
    no jump where the work has made one; and where nothing moves all the same, its
    message counts the seconds.

    Parameters
    ----------
    shares
        Share of each stage in the whole run, by name, in their order; any
        positive numbers.
    labels
        What to call the stages in messages; their names by default.
    units
        What the units of each stage are called.
    time_limit
        Seconds on the clock at which the run will be over at the latest.
    timings
        What stages took in an earlier run of the same kind, by name.
    clock
        Seconds that the run has taken so far.
    time_shares
        Share of each stage in a time limit, by name; `shares` by default.
    follow
        What the stages' parts of the bar follow: ``"work"`` for their shares, or
        ``"time"`` for what they are expected to take, where there is a time limit
        or an earlier run to tell that. What is left of the bar is then divided
        anew whenever a stage begins, so that a stage that ended early leaves no
        gap and half of the bar is about half of the time.
    expected
        Seconds that stages expect to take, by name, of those that can tell.

    Attributes
    ----------
    stage_items_done
        Finished units of the present stage: store a new number here (or call
        `update_work_progress`) after each.
    best
        Cost and violations of the best solution so far; a pair.
    status
        As in `Snapshot`.
    """

    __module__ = "schoolbell.runner"

    def __init__(
        self,
        shares: Mapping[str, float],
        *,
        labels: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        time_limit: float | None = None,
        timings: Mapping[str, StageTiming] | None = None,
        clock: Callable[[], float] = time.monotonic,
        time_shares: Mapping[str, float] | None = None,
        follow: Follow = "work",
        expected: Mapping[str, float] | None = None,
    ) -> None:
        for name, share in shares.items():
            if not (share > 0 and math.isfinite(share)):
                raise ValueError(f"the share of {name!r} must be a positive number, got {share}")
        self._labels = {name: name.replace("_", " ").capitalize() for name in shares}
        self._labels |= labels or {}
        self._units = dict(units or {})
        self._names = list(shares)
        self._bounds = _stage_bounds(shares)
        self._time_limit = time_limit
        self._clock = clock
        self._lock = threading.Lock()
        self.stage_items_done = 0
        self.best: tuple[float | None, int | None] = (None, None)
        self.status = RUNNING
        self.stage: str | None = None
        # What the newest pulse said, and of those before what was taken in.
        self._pulse = self._pulse_noticed = _NO_PULSE
        # Progress of the work, and what is shown: further where it was so before a total grew.
        self._segment = self._shown = _Segment(end=0.0, total=None, done=0, floor=0.0)
        self._forecast = Forecast(shares, timings, time_shares)
        self._forecast.hints = dict(expected or {})
        self._follows_time = follow == "time" and (
            time_limit is not None or self._forecast.knows(self._names)
        )
        # Where the work of the stages so far has come to, and what the present one was to take.
        self._reached = 0.0
        self._stage_seconds: float | None = None
        self._stage_ends_at: float | None = None
        # Seconds so far that count for no limit, those before this stage, and the unit in which
        # they grow.
        self._overtime = 0.0
        self._overtime_before = 0.0
        self._overtime_in: int | None = None
        # What a person has seen last and since when, and the unit in which it stood still.
        self._seen: tuple[int, int, str] = (0, 0, "")
        self._seen_at = 0.0
        self._still_in: tuple[str | None, int] | None = None
        # What the readers have noticed so far: units of the stage in hand, and progress.
        self._units_noticed: UnitClock | None = None
        self._told = 0.0
        now = clock()
        self._glide = Glide()
        if self._follows_time:
            self._plan(self._names, 0.0, now)
        # From where progress moves, and since when: there it was when a unit or a pulse was
        # noticed; and how much it moves in a second at least.
        self._floor, self._since, self._least_speed = 0.0, now, 0.0
        self._move_from_here(now)

    @property
    def time_limit(self) -> float | None:
        """As given; where it is put off, the end of the present stage's time is too."""
        return self._time_limit

    @time_limit.setter
    def time_limit(self, seconds: float | None) -> None:
        before = self._time_limit
        if seconds == before:
            return
        with self._lock:
            if seconds is not None and before is not None and self._stage_ends_at is not None:
                self._stage_ends_at += seconds - before
            self._time_limit = seconds

    def label(self, stage: str) -> str:
        """Return what the stage is called in messages."""
        return self._labels[stage]

    def bounds(self, stage: str) -> tuple[float, float]:
        """Return where the stage begins and ends in the progress of the run, 0 to 1."""
        return self._bounds[stage]

    @property
    def overtime(self) -> float:
        """Seconds so far that count for no limit, as of a compilation.

        While they grow nobody knows for how long: there is no `eta` then, or it stays
        where it is where a time limit is put off by them.
        """
        return self._overtime

    @overtime.setter
    def overtime(self, seconds: float) -> None:
        self._overtime_in = self.stage_items_done if seconds > self._overtime else None
        self._overtime = seconds

    def begin_stage(
        self,
        name: str,
        total: int | None = None,
        seconds: float | None = None,
        expected: Mapping[str, float] | None = None,
        bounds: tuple[float, float] | None = None,
    ) -> None:
        """Begin a stage.

        Parameters
        ----------
        name
            One of the names of `shares`.
        total
            Units it will do in all, if that is known.
        seconds
            Time it may take, if that is limited.
        expected
            Seconds that this stage and those to come are expected to take, by name,
            of those that can tell.
        bounds
            Where it begins and ends in the progress of the run, where that is known, as
            of a run that was recorded.
        """
        now = self._clock()
        with self._lock:
            if expected is not None:
                self._forecast.hints = dict(expected)
            self._stage_seconds = None
            if bounds is not None:
                self._bounds[name] = bounds
            elif self._follows_time:
                stages = self._names[self._names.index(name) :]
                self._stage_seconds = self._plan(stages, self._reached, now)[0]
            start, end = self._bounds[name]
            self._told = max(self._told, start)
            self.stage = name
            self.stage_items_done = 0
            self._pulse = self._pulse_noticed = _NO_PULSE
            self._overtime_in = None
            self._overtime_before = self._overtime
            self._segment = _Segment(end=end, total=total, done=0, floor=start)
            self._shown = replace(self._segment, floor=min(self._told, end))
            self._stage_ends_at = None if seconds is None else now + seconds
            self._units_noticed = UnitClock(now)
            self._move_from_here(now)

    def expect(self, expected: Mapping[str, float]) -> None:
        """Take other seconds that stages to come are expected to take, see `begin_stage`."""
        with self._lock:
            self._forecast.hints |= expected

    @property
    def stage_items_total(self) -> int | None:
        """Units of the present stage in all; None while not known. May be set at any time."""
        return self._segment.total

    @stage_items_total.setter
    def stage_items_total(self, total: int | None) -> None:
        self.update_work_progress(self.stage_items_done, total)

    def update_work_progress(self, done: int, total: int | EllipsisType | None = ...) -> None:
        """Note the finished units of the present stage.

        Parameters
        ----------
        done
            Finished units, never less than before.
        total
            Units in all, None if not known; left out, the total stays.
        """
        if total is ... or total == self._segment.total:
            self.stage_items_done = done
            return
        with self._lock:
            before, start = self.stage_items_done, self._bounds[self.stage][0] if self.stage else 0
            told = max(self._told, self._shown.at(before))
            self._segment = self._segment.retotalled(before, done, total, start)
            # In equal parts too where nothing more was shown than that.
            self._shown = self._segment.retotalled(before, done, total, start, told)
            self.stage_items_done = done

    def note_pulse(self, part: float | None, message: str | None = None) -> None:
        """Note how much of the unit in hand is done.

        Parameters
        ----------
        part
            0 to 1; None where nobody can tell.
        message
            What to say instead of the count of units, until the unit is done.
        """
        self._pulse = _Pulse(part, message, self.stage_items_done, self._clock())

    def line(self) -> tuple[float, float, float]:
        """Return progress as a line over the stage's units, while its total stays.

        Returns
        -------
        tuple
            Progress at 0 units, progress a unit, and progress at the total;
            of no meaning while the total is unknown.
        """
        segment = self._segment
        units = (segment.total or 0) - segment.done
        slope = (segment.end - segment.floor) / units if units > 0 else 0.0
        return segment.floor - slope * segment.done, slope, segment.end

    def end_stage(self, goes_on: bool = True) -> None:
        """End the present stage, however many of its units are done.

        Parameters
        ----------
        goes_on
            Whether the run goes on after it: then the stage's part is over. The
            progress of a run that ends in the midst of a stage stays where it is.
        """
        now = self._clock()
        with self._lock:
            if self.stage is None or self._units_noticed is None:
                return
            if goes_on:
                end = self._end_of_stage(now)
                self._told = max(self._told, min(end, _ALMOST_ONE))
                self._segment = self._shown = replace(self._segment, floor=end, end=end)
                self._reached = end
            else:
                self._smooth(now)
            seconds = now - self._units_noticed.began
            self._forecast.end_stage(self.stage, seconds, self._overtime - self._overtime_before)
            self._units_noticed = None
            self._pulse = self._pulse_noticed = _NO_PULSE
            later = self._names[self._names.index(self.stage) + 1 :]
            if self._follows_time and goes_on and later:
                self._plan(later, self._reached, now)
            self._move_from_here(now)

    def _end_of_stage(self, now: float) -> float:
        """Return where the progress of the work is when the present stage has ended.

        Where the bar follows the time, a stage that ended before its last unit has used the
        part of its part that it has used of its time; the stages to come get the rest.
        """
        assert self.stage is not None and self._units_noticed is not None
        segment = self._segment
        start, end = self._bounds[self.stage]
        done, total = self.stage_items_done, segment.total
        if not self._follows_time or self.stage == self._names[-1]:
            return end
        if total is not None and done >= total:
            return end
        took = now - self._units_noticed.began
        used = 1.0 if not self._stage_seconds else min(1.0, took / self._stage_seconds)
        # No less than may have been shown of the unit in hand.
        reached = min(max(segment.at(done + 1), start + used * (end - start)), end)
        self._bounds[self.stage] = start, reached
        return reached

    def _plan(self, stages: Sequence[str], start: float, now: float) -> list[float]:
        """Divide what is left of the bar among stages by what they are expected to take."""
        left = None if self._time_limit is None else max(0.0, self._time_limit - now)
        seconds = self._forecast.expected(stages, left)
        least = _LEAST_PART * math.fsum(seconds) or 1.0
        parts = {name: max(one, least) for name, one in zip(stages, seconds, strict=True)}
        self._bounds |= _stage_bounds(parts, start)
        return seconds

    def finish(self, status: str = FINISHED) -> None:
        """End the run; only a finished one reaches 1."""
        now = self._clock()
        with self._lock:
            self._smooth(now)
            self.status = status
            if status == FINISHED:
                self._told = 1.0

    def state_dict(self) -> dict[str, Any]:
        """Return where the run stands, for a backup."""
        with self._lock:
            units = self._units_noticed
            return {
                "stage": self.stage,
                "bounds": {name: list(bounds) for name, bounds in self._bounds.items()},
                "segment": asdict(self._segment),
                "shown": asdict(self._shown),
                "reached": self._reached,
                "stage_seconds": self._stage_seconds,
                "part": self._pulse.part,
                "message": self._pulse.message,
                "done": self.stage_items_done,
                "told": self._told,
                "past": dict(self._forecast.past),
                "units": None if units is None else units.state_dict(self._clock()),
            }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where a run stood whose backup this is."""
        segment, shown = _Segment(**state["segment"]), _Segment(**state["shown"])
        saved = state["bounds"].items()
        bounds = {name: (float(start), float(end)) for name, (start, end) in saved}
        known = (None, *self._names)
        named = (state["stage"], *state["past"], *bounds)
        in_order = 0 <= state["told"] <= 1 and 0 <= state["reached"] <= 1
        for low, high in (*bounds.values(), segment.ends, shown.ends):
            in_order = in_order and 0 <= low <= high <= 1
        if not in_order or not all(name in known for name in named):
            raise ValueError(f"no place of this run: {state}")
        for one in (segment, shown):
            total = one.done if one.total is None else one.total
            for number in (one.done, total):
                as_number(number, least=0)
        for number in (state["done"], *state["past"].values()):
            as_number(number, least=0)
        for number in (state["stage_seconds"], state["part"]):
            if number is not None:
                as_number(number, least=0)
        if not isinstance(state["message"], str | None):
            raise ValueError(f"a message that is no text: {state['message']!r}")
        now = self._clock()
        pulse = _Pulse(state["part"], state["message"], state["done"], now)
        with self._lock:
            self.stage = state["stage"]
            self.stage_items_done = state["done"]
            self._bounds |= bounds
            self._segment, self._shown = segment, shown
            self._reached = state["reached"]
            self._stage_seconds = state["stage_seconds"]
            self._pulse = self._pulse_noticed = pulse
            # What was told while the run got ready to go on is not taken back.
            self._told = max(self._told, state["told"])
            self._glide.jump(self._told, now)
            self._forecast.past = dict(state["past"])
            units = state["units"]
            self._units_noticed = None if units is None else UnitClock.of_state(units, now)
            self._move_from_here(now)

    @property
    def work_progress(self) -> float:
        """Progress of the whole run by finished units alone, 0 to 1, whoever reads."""
        return self.work_progress_at(self.stage_items_done)

    def work_progress_at(self, done: int) -> float:
        """Progress of the whole run, 0 to 1, when `done` units of the stage are finished."""
        return self._segment.at(done)

    def calculate_smooth_progress(self) -> float:
        """Return the progress of the whole run, 0 to 1, moving within the unit in hand."""
        with self._lock:
            return self._smooth(self._clock())

    def eta(self) -> float | None:
        """Return the seconds that the run will still take; None while that cannot be told."""
        with self._lock:
            now = self._clock()
            self._notice(now)
            return self._eta(now)

    @property
    def message(self) -> str:
        """The present stage and its units, for people: ``"Clustering: 30/100"``."""
        with self._lock:
            return self._message(self.stage_items_done, self._clock())

    def snapshot(self) -> Snapshot:
        """Return where the run stands now, all of one moment, as it is to be shown.

        Its progress follows `calculate_smooth_progress` without a jump, so that it may be behind
        it for a few seconds after a large one; that of a run that is over is not.
        """
        with self._lock:
            now = self._clock()
            smooth = self._smooth(now)
            done = self._notice(now)
            progress = smooth
            if self.status in LIVE:
                left = None if self._time_limit is None else self._time_limit - now
                progress = self._glide.follow(smooth, now, left)
            cost, violations = self.best
            start, end = self._bounds[self.stage] if self.stage else (0.0, 1.0)
            of_stage = min(1.0, max(0.0, (smooth - start) / max(end - start, 1e-12)))
            eta = self._eta(now)
            self._see(
                (int(1000 * progress), int(100 * of_stage), self._told_message(done)), now, eta
            )
            return Snapshot(
                status=self.status,
                stage=self.stage,
                unit=self._units.get(self.stage) if self.stage else None,
                done=done,
                total=self._segment.total,
                message=self._message(done, now),
                stage_progress=of_stage,
                progress=progress,
                eta=eta,
                elapsed=now,
                cost=cost,
                violations=violations,
            )

    # All below is called with the lock held.

    def _smooth(self, now: float) -> float:
        done = self._notice(now)
        if self.status in LIVE:
            self._move_on(done, now)
        return self._told

    def _move_on(self, done: int, now: float) -> None:
        """Move on time alone from where a unit or a pulse was noticed."""
        low, high = self._stretch(done)
        floor = max(low, self._floor)
        moved = self._moved(low, high, floor, now - self._since)
        self._told = max(self._told, min(floor + _within(moved, high - floor), _ALMOST_ONE))

    def _stretch(self, done: int) -> tuple[float, float]:
        """Return between what progress moves now."""
        units, segment = self._units_noticed, self._shown
        if units is None:
            ahead = [bounds for bounds in self._bounds.values() if bounds[1] > self._floor]
            start, end = ahead[0] if ahead else (1.0, 1.0)
            low = max(start, self._floor)
            return low, low + _PREPARED * (end - start)
        work, next_unit = segment.at(done), segment.at(done + 1)
        if self.stage is not None and segment.total is not None and done >= segment.total:
            start, end = self._bounds[self.stage]
            work -= _KEPT_BACK * (end - start) / max(segment.total, 1)
        return work, next_unit

    def _moved(self, low: float, high: float, floor: float, seconds: float) -> float:
        """Return how far progress moves from `floor` in some seconds on time alone."""
        units = self._units_noticed
        # In a little room nothing that a person sees can move: it need not be used up at once.
        slow = min(self._least_speed, (high - floor) / _LITTLE_ROOM)
        if units is not None and units.part:
            # To where the next pulse is expected; where that was shown before, no further than
            # is seen.
            part, due = units.part, units.interval or 0.0
            following = low + min(1.0, part + (units.rate or 0.0) * due) * (high - low)
            speed = max(0.0, following - floor) / due if due else 0.0
        else:
            known = self._unit_seconds(units)
            due = max(_FIRST_UNIT if known is None else known, _SHORTEST_UNIT)
            speed = min(_DUE * (high - floor) / due, _FASTEST if known else _CAUTIOUS)
            slow = max(slow, speed / _OVERDUE)
        speed = max(slow, min(speed, _FASTEST))
        return speed * min(seconds, due) + slow * max(0.0, seconds - due)

    def _unit_seconds(self, units: UnitClock | None) -> float | None:
        """Return what the unit in hand is expected to take where no pulse tells of it."""
        if units is None or self.stage is None:
            return None
        if units.unit_seconds is not None:
            return units.unit_seconds
        total, stage = self._segment.total, self._forecast.of_stage(self.stage)
        if stage is None and self._stage_ends_at is not None:
            stage = self._stage_ends_at - units.began
        return None if stage is None or not total else stage / total

    def _move_from_here(self, now: float) -> None:
        self._floor, self._since = self._told, now
        self._least_speed = self._visible_speed(now)

    def _visible_speed(self, now: float) -> float:
        """Return the progress in a second at which a person sees that something moves."""
        start, end = self._bounds[self.stage] if self.stage else (0.0, 1.0)
        step = min(_OF_RUN, _OF_STAGE * (end - start))
        left = self._eta(now)
        # Half of it, since too little is seen where too much time is expected.
        run = _LONG_RUN if left is None else max(_LONG_RUN, 0.5 * (now + left))
        return _STEPS * step * _LONG_RUN / run

    def _notice(self, now: float) -> int:
        """Notice the units that are done and what a pulse told; return how many units."""
        done, units, pulse = self.stage_items_done, self._units_noticed, self._pulse
        if units is None:
            return done
        if done > units.done:
            units.notice(done, now)
            self._move_from_here(now)
        if pulse is not self._pulse_noticed and pulse.unit == done:
            self._pulse_noticed = pulse
            if pulse.part is not None and pulse.part > units.part:
                self._move_on(done, now)
                units.notice_part(pulse.part, pulse.at)
                low, high = self._stretch(done)
                known = low + pulse.part * (high - low)
                self._told = max(self._told, min(known, _ALMOST_ONE))
                self._move_from_here(now)
        return done

    def _eta(self, now: float) -> float | None:
        if self.status not in LIVE:
            return 0.0
        if self._time_limit is None and self._overtime_in == self.stage_items_done:
            # With a limit, that is put off as long as they grow.
            return None
        if self.stage is None:
            return self._forecast.seconds_of_all(self._time_limit, now)
        return self._forecast.seconds_left(
            now,
            self.stage,
            self._segment.total,
            self._units_noticed,
            self._stage_ends_at,
            self._time_limit,
            self._overtime - self._overtime_before,
        )

    def _see(self, shown: tuple[int, int, str], now: float, eta: float | None) -> None:
        """Notice where a person has seen nothing move."""
        if shown != self._seen:
            self._seen, self._seen_at = shown, now
            return
        whole = max(_LONG_RUN, now + (eta or 0.0))
        if now - self._seen_at >= _STILL_SECONDS * whole / _LONG_RUN and self.status in LIVE:
            self._still_in = self.stage, self.stage_items_done

    def _message(self, done: int, now: float) -> str:
        message, units = self._told_message(done), self._units_noticed
        if units is None or self._still_in != (self.stage, done):
            return message
        return f"{message}, {max(0.0, now - units.at):.0f} s"

    def _told_message(self, done: int) -> str:
        if self.stage is None:
            return "Starting"
        pulse = self._pulse
        if pulse.message is not None and pulse.unit == done:
            return pulse.message
        total = self._segment.total
        return f"{self._labels[self.stage]}: {done}" + ("" if total is None else f"/{total}")


def _within(moved: float, room: float) -> float:
    """Return how far to go of so much room: evenly at first, and never to its end."""
    even = _EVENLY * room
    if moved <= even:
        return moved
    rest = room - even
    # With the same slope where the two meet.
    return room - rest * rest / (rest + moved - even) if rest > 0 else room


def _stage_bounds(
    shares: Mapping[str, float], start: float = 0.0
) -> dict[str, tuple[float, float]]:
    """Return where each stage begins and ends in what is left of the progress of the run."""
    total = math.fsum(shares.values())
    parts = [math.fsum(list(shares.values())[: i + 1]) / total for i in range(len(shares))]
    ends = [*(start + (1.0 - start) * part for part in parts[:-1]), 1.0]
    return dict(zip(shares, zip([start, *ends[:-1]], ends, strict=True), strict=True))
