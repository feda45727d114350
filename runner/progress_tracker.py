"""How far a run is, read from any thread."""

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from types import EllipsisType
from typing import Any

from ..callbacks import Snapshot
from ..stages.plain_data import as_number
from .forecast import Forecast
from .stage_timing import StageTiming
from .unit_clock import UnitClock

# A stage with an unknown total is taken to be half through after this many units.
_HALF_WAY = 20
# Expected seconds of a unit before any was timed.
_FIRST_UNIT = 2.0
# Shorter units are passed before a watcher sees them move; but when one of them is suddenly long,
# it must not be shown as all but done after no time.
_SHORTEST_UNIT = 1.0
# Of the last unit of a stage, what is shown done only when the stage has ended: with all its units
# done it may still have something to do.
_KEPT_BACK = 0.1
# Of a stage to come, what may be shown done while it is being prepared.
_PREPARED = 0.05
_ALMOST_ONE = math.nextafter(1.0, 0.0)


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

    The smooth progress lies between the work that is done and the end of the
    unit in hand, moves on time in between, never goes back, and is 1 only when
    the run has finished. It does not stand still either where a stage has done
    all the units of its total and goes on, or where the run is between two
    stages: the end of a stage is kept for when it has ended, and a little of
    the next one is what it takes to begin. Where a total grows, so that the old
    work is a smaller part of it than was told already, what is left of the
    stage's part is divided among the units that are left.

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

    def __init__(
        self,
        shares: Mapping[str, float],
        *,
        labels: Mapping[str, str] | None = None,
        units: Mapping[str, str] | None = None,
        time_limit: float | None = None,
        timings: Mapping[str, StageTiming] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, share in shares.items():
            if not (share > 0 and math.isfinite(share)):
                raise ValueError(f"the share of {name!r} must be a positive number, got {share}")
        self._labels = {name: name.replace("_", " ").capitalize() for name in shares}
        self._labels |= labels or {}
        self._units = dict(units or {})
        self._bounds = _stage_bounds(shares)
        self._time_limit = time_limit
        self._clock = clock
        self._lock = threading.Lock()
        self.stage_items_done = 0
        self.best: tuple[float | None, int | None] = (None, None)
        self.status = "running"
        self.stage: str | None = None
        # What the newest pulse said of the unit in hand: its part, its message, and which unit.
        self._pulse: tuple[float | None, str | None, int] = (None, None, 0)
        # Progress by finished units alone, and as it is shown, which may be ahead of it.
        self._work = _Segment(end=0.0, total=None, done=0, floor=0.0)
        self._segment = _Segment(end=0.0, total=None, done=0, floor=0.0)
        self._forecast = Forecast(shares, timings)
        self._stage_ends_at: float | None = None
        # What the readers have noticed so far: units of the stage in hand, and progress.
        self._units_noticed: UnitClock | None = None
        self._told = 0.0
        # From where progress moves, and since when: there it was when a unit was noticed.
        self._floor, self._since = 0.0, clock()

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

    def begin_stage(
        self, name: str, total: int | None = None, seconds: float | None = None
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
        """
        start, end = self._bounds[name]
        now = self._clock()
        with self._lock:
            self._told = max(self._told, start)
            self.stage = name
            self.stage_items_done = 0
            self._pulse = (None, None, 0)
            self._work = _Segment(end=end, total=total, done=0, floor=start)
            self._segment = _Segment(end=end, total=total, done=0, floor=self._told)
            self._stage_ends_at = None if seconds is None else now + seconds
            self._units_noticed = UnitClock(now)
            self._move_from_here(now)

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
            floor = max(self._told, self._segment.at(self.stage_items_done))
            self._segment = self._retotalled(done, total, floor)
            floor = self._work.at(self.stage_items_done)
            self._work = self._retotalled(done, total, floor)
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
        self._pulse = (part, message, self.stage_items_done)

    def _retotalled(self, done: int, total: int | None, floor: float) -> _Segment:
        """Return the segment for a new total, never below what it was before."""
        before = self.stage_items_done
        start, end = self._bounds[self.stage] if self.stage else (0.0, 0.0)
        plain = _Segment(end=end, total=total, done=0, floor=start)
        if plain.at(done) >= floor:
            return plain
        return replace(plain, done=before, floor=floor)

    def line(self) -> tuple[float, float, float]:
        """Return progress as a line over the stage's units, while its total stays.

        Returns
        -------
        tuple
            Progress at 0 units, progress a unit, and progress at the total;
            of no meaning while the total is unknown.
        """
        segment = self._work
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
                end = self._bounds[self.stage][1]
                self._told = max(self._told, min(end, _ALMOST_ONE))
                self._segment = replace(self._segment, floor=end)
                self._work = replace(self._work, floor=end)
            else:
                self._smooth(now)
            self._forecast.past[self.stage] = now - self._units_noticed.began
            self._units_noticed = None
            self._move_from_here(now)

    def finish(self, status: str = "finished") -> None:
        """End the run; only a finished one reaches 1."""
        now = self._clock()
        with self._lock:
            self._smooth(now)
            self.status = status
            if status == "finished":
                self._told = 1.0

    def state_dict(self) -> dict[str, Any]:
        """Return where the run stands, for a backup."""
        with self._lock:
            units = self._units_noticed
            return {
                "stage": self.stage,
                "segment": asdict(self._segment),
                "work": asdict(self._work),
                "done": self.stage_items_done,
                "told": self._told,
                "past": dict(self._forecast.past),
                "units": None if units is None else units.state_dict(self._clock()),
            }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Stand where a run stood whose backup this is."""
        segment, work = _Segment(**state["segment"]), _Segment(**state["work"])
        known = (None, *self._bounds)
        named = (state["stage"], *state["past"])
        in_order = all(0 <= one.floor <= one.end <= 1 for one in (segment, work))
        if not in_order or not 0 <= state["told"] <= 1 or not all(name in known for name in named):
            raise ValueError(f"no place of this run: {state}")
        for one in (segment, work):
            as_number(one.done, least=0)
            as_number(one.done if one.total is None else one.total, least=0)
        for number in (state["done"], *state["past"].values()):
            as_number(number, least=0)
        now = self._clock()
        with self._lock:
            self.stage = state["stage"]
            self.stage_items_done = state["done"]
            self._segment, self._work = segment, work
            # What was told while the run got ready to go on is not taken back.
            self._told = max(self._told, state["told"])
            self._forecast.past = dict(state["past"])
            units = state["units"]
            self._units_noticed = None if units is None else UnitClock.restored(units, now)
            self._move_from_here(now)

    @property
    def work_progress(self) -> float:
        """Progress of the whole run by finished units alone, 0 to 1, whoever reads."""
        return self.work_progress_at(self.stage_items_done)

    def work_progress_at(self, done: int) -> float:
        """Progress of the whole run, 0 to 1, when `done` units of the stage are finished."""
        return self._work.at(done)

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
            return self._message(self.stage_items_done)

    def snapshot(self) -> Snapshot:
        """Return where the run stands now, all of one moment."""
        with self._lock:
            now = self._clock()
            progress = self._smooth(now)
            done = self._notice(now)
            cost, violations = self.best
            start, end = self._bounds[self.stage] if self.stage else (0.0, 1.0)
            return Snapshot(
                status=self.status,
                stage=self.stage,
                unit=self._units.get(self.stage) if self.stage else None,
                done=done,
                total=self._segment.total,
                message=self._message(done),
                stage_progress=min(1.0, max(0.0, (progress - start) / (end - start))),
                progress=progress,
                eta=self._eta(now),
                elapsed=now,
                cost=cost,
                violations=violations,
            )

    # All below is called with the lock held.

    def _smooth(self, now: float) -> float:
        done = self._notice(now)
        if self.status in ("running", "paused"):
            low, high, expected = self._stretch(done)
            floor = max(low, self._floor)
            part = _part_of_unit((now - self._since) / expected)
            self._told = max(self._told, min(floor + (high - floor) * part, _ALMOST_ONE))
        return self._told

    def _stretch(self, done: int) -> tuple[float, float, float]:
        """Return between what progress moves now, and the seconds that most of it may take."""
        units, segment = self._units_noticed, self._segment
        if units is None:
            ahead = [bounds for bounds in self._bounds.values() if bounds[1] > self._floor]
            start, end = ahead[0] if ahead else (1.0, 1.0)
            low = max(start, self._floor)
            return low, low + _PREPARED * (end - start), _FIRST_UNIT
        work, next_unit = segment.at(done), segment.at(done + 1)
        if self.stage is not None and segment.total is not None and done >= segment.total:
            start, end = self._bounds[self.stage]
            work -= _KEPT_BACK * (end - start) / max(segment.total, 1)
        return work, next_unit, max(units.unit_seconds or _FIRST_UNIT, _SHORTEST_UNIT)

    def _move_from_here(self, now: float) -> None:
        self._floor, self._since = self._told, now

    def _notice(self, now: float) -> int:
        """Notice the units that are done; return how many."""
        done, units = self.stage_items_done, self._units_noticed
        if units is not None and done > units.done:
            units.notice(done, now)
            self._move_from_here(now)
        return done

    def _eta(self, now: float) -> float | None:
        if self.status not in ("running", "paused"):
            return 0.0
        if self.stage is None:
            return None if self._time_limit is None else max(0.0, self._time_limit - now)
        return self._forecast.seconds_left(
            now,
            self.stage,
            self._segment.total,
            self._units_noticed,
            self._stage_ends_at,
            self._time_limit,
        )

    def _message(self, done: int) -> str:
        if self.stage is None:
            return "Starting"
        _, message, unit = self._pulse
        if message is not None and unit == done:
            return message
        total = self._segment.total
        return f"{self._labels[self.stage]}: {done}" + ("" if total is None else f"/{total}")


def _part_of_unit(ratio: float) -> float:
    """Return how much of a unit to show done after `ratio` of its expected time.

    Four fifths when it is due; then ever slower towards all of it, which it
    does not reach.
    """
    if ratio <= 1.0:
        return 0.8 * max(0.0, ratio)
    # With the same slope where the two meet.
    return 1.0 - 0.2 / (1.0 + 4.0 * (ratio - 1.0))


def _stage_bounds(shares: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return where each stage begins and ends in the progress of the run."""
    total = math.fsum(shares.values())
    ends = [math.fsum(list(shares.values())[: i + 1]) / total for i in range(len(shares))]
    return dict(zip(shares, zip([0.0, *ends[:-1]], ends, strict=True), strict=True))
