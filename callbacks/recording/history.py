"""Records what a run's batches reported."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from copy import copy
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..background.needing import needing
from ..callback import Callback, Logs
from ..names import did_you_mean
from ..plain_value import encodable, plain_row
from ..vocabulary import MAX
from .cost_curve import CurvePoint, cost_curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


_STATE = (
    "rows",
    "solutions",
    "due",
    "_stage",
    "_stage_start",
    "_stride",
    "_last",
    "_solution_stride",
    "_solution_count",
)
_PLAIN = frozenset((type(None), bool, int, float, str))
# The least that those of them may be that count something.
_LEAST = {"due": 0, "_stage_start": 0, "_stride": 1, "_solution_stride": 1, "_solution_count": 0}


class History(Callback):
    """Keeps the logs of a run's batches; `fit` returns it as ``run.history``.

    Memory stays bounded: when a stage has given `rows_per_stage` rows, every
    other one is dropped and from then on every second batch is recorded, then
    every fourth, and so on. The last batch of each stage is always there. What
    is neither number nor text is kept as a short text.

    Parameters
    ----------
    rows_per_stage
        Most rows that one stage may fill.

    Attributes
    ----------
    rows
        The logs of the recorded batches with their ``batch``, in order.
    solutions
        A row for each new best, without metrics, thinned in the same way.
    due
        Next batch of the present stage that is to be recorded.
    """

    __module__ = "schoolbell.callbacks"

    def __init__(self, rows_per_stage: int = 1024) -> None:
        super().__init__()
        if rows_per_stage < 2:
            raise ValueError(f"rows_per_stage must be 2 or more, got {rows_per_stage}")
        self.rows_per_stage = rows_per_stage
        self._clear()

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        for name in ("rows", "solutions"):
            state[name] = [_portable(row) for row in state[name]]
        return state

    def _clear(self) -> None:
        self.rows: list[Logs] = []
        self.solutions: list[Logs] = []
        self.due = 0
        self._stage_start = 0
        self._stride = 1
        self._last: tuple[int, Logs] | None = None
        self._solution_stride = 1
        self._solution_count = 0
        self._stage: str | None = None

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._clear()

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if stage == self._stage:
            # A resumed run goes on within this stage.
            return
        self._stage = stage
        self._stage_start = len(self.rows)
        self._stride = 1
        self.due = 0
        self._last = None

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self._last = (batch, logs or {})
        if batch >= self.due:
            self._append(batch, self._last[1])
            if len(self.rows) - self._stage_start >= self.rows_per_stage:
                del self.rows[self._stage_start + 1 :: 2]
                self._stride *= 2
            self.due = (batch // self._stride + 1) * self._stride

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        if self._solution_count % self._solution_stride == 0:
            self.solutions.append(plain_row(logs or {}))
            if len(self.solutions) >= self.rows_per_stage:
                del self.solutions[1::2]
                self._solution_stride *= 2
        self._solution_count += 1

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        self._close_stage()

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._close_stage()

    def _close_stage(self) -> None:
        if self._last is not None:
            batch, logs = self._last
            recorded = len(self.rows) > self._stage_start and self.rows[-1]["batch"] == batch
            if not recorded:
                self._append(batch, logs)
            self._last = None

    def _append(self, batch: int, logs: Logs) -> None:
        control = getattr(self, "pipeline", None)
        self.rows.append({"batch": batch, **plain_row(logs, control)})

    def state_dict(self) -> dict[str, Any]:
        """Return the rows and how they are thinned."""
        state = {name: copy(getattr(self, name)) for name in _STATE}
        if self._last is not None:
            batch, logs = self._last
            state["_last"] = (batch, plain_row(logs))
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on below the rows of a run that is resumed."""
        for rows in (state["rows"], state["solutions"]):
            if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
                raise ValueError("a history's rows hold numbers by name")
        if state["_last"] is not None:
            batch, logs = state["_last"]
            state = state | {"_last": (int(batch), dict(logs))}
        for name, least in _LEAST.items():
            if type(state[name]) is not int or state[name] < least:
                raise ValueError(f"a history has no {name} of {state[name]!r:.40}")
        for name in _STATE:
            setattr(self, name, state[name])

    @property
    def history(self) -> dict[str, list[Any]]:
        """The rows as columns; None where a row has no such value."""
        return {name: [row.get(name) for row in self.rows] for name in self._columns()}

    def to_frame(self) -> DataFrame:
        """Return the rows as a table of pandas.

        Returns
        -------
        DataFrame
            A row for each recorded batch; NaN where it has no such value.

        Raises
        ------
        ImportError
            Where pandas is not installed.
        """
        with needing("a history as a table"):
            from pandas import DataFrame
        # What pandas keeps texts in may take no halves of surrogate pairs.
        return DataFrame(
            {
                encodable(name): [encodable(v) if isinstance(v, str) else v for v in values]
                for name, values in self.history.items()
            }
        )

    def curve(self) -> list[CurvePoint]:
        """Return when the best cost changed: ``(elapsed, cost, violations)`` each time.

        The last point is where the run stood at its end.
        """
        rising = self.params.get("goal") == MAX
        return cost_curve(chain(self.rows, self.solutions), rising)

    def stage_spans(self) -> list[tuple[str, float, float]]:
        """Return from when to when, in seconds, each stage that finished a unit was at work.

        A stage begins where the one before it finished its last unit.
        """
        ends = {row["stage"]: row["elapsed"] for row in self.rows}
        return list(zip(ends, [0.0, *ends.values()], ends.values(), strict=False))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how the cost of the best so far changed, by seconds, with matplotlib.

        The line is dotted as long as the best had violations; bands tell the
        stages apart, and their names stand above. A long wait before the first
        solution, the first compilation on a machine say, is left out, and the axis
        says so.

        Parameters
        ----------
        ax
            Where to draw; a new figure of pyplot by default.

        Returns
        -------
        Axes
            Where it is drawn.

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        """
        from .history_plot import plot_history

        return plot_history(self, ax)

    def _columns(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __getitem__(self, column: str) -> list[Any]:
        if self.rows and not any(column in row for row in self.rows):
            known = self._columns()
            close = did_you_mean(column, known)
            raise KeyError(f"no column {column!r}; there are {', '.join(known)}{close}")
        return [row.get(column) for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Logs]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return f"History({len(self.rows)} rows, {len(self.solutions)} solutions)"


def _is_row(row: Any) -> bool:
    """Tell whether something is a row whose core columns can be read."""
    if not isinstance(row, dict) or not isinstance(row.get("stage"), str):
        return False
    values = (row.get("cost"), row.get("violations"))
    numbers = [row.get("elapsed"), *(value for value in values if value is not None)]
    return all(isinstance(number, int | float) for number in numbers)


def _portable(row: Logs) -> Logs:
    """Return a row that can be pickled, None in it for each value that cannot."""
    if _PLAIN.issuperset(map(type, row.values())):
        return row
    return {name: value if _can_be_pickled(value) else None for name, value in row.items()}


def _can_be_pickled(value: Any) -> bool:
    if type(value) in _PLAIN:
        return True
    try:
        pickle.dumps(value)
    except Exception:
        return False
    return True
