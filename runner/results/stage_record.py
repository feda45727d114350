"""How one stage of a run went."""

from dataclasses import dataclass
from typing import Any, Self

from ...callbacks.formatting import format_number, format_seconds
from ...callbacks.vocabulary import stage_end_text, units_text
from ...stages.offered import as_cost, as_violations
from ...stages.plain_data import as_number


@dataclass(frozen=True, slots=True)
class StageRecord:
    """How one stage of a run went.

    Attributes
    ----------
    name, unit
        The stage, and what its units are called.
    done, total
        Units it finished, and those it meant to do in all (None if unknown).
    seconds
        What it took, pauses not counted.
    cost, violations
        Of the best solution when it ended; None before the first.
    ended_by
        ``"finished"``, ``"time"``, ``"optimal"``, ``"skipped"``, ``"stopped"``,
        ``"interrupted"`` or ``"failed"``.
    stopped_by
        Who skipped or stopped it: a callback's class, ``"command"``, …; None
        where nobody did.
    began
        When it began, in seconds of the run.
    budget
        Seconds that it was allowed; None without a limit.
    """

    __module__ = "schoolbell.runner"

    name: str
    unit: str
    done: int
    total: int | None
    seconds: float
    cost: float | None
    violations: int | None
    ended_by: str
    began: float = 0.0
    budget: float | None = None
    stopped_by: str | None = None

    @property
    def ended(self) -> str:
        """How it ended, in words: ``"time is up"``, ``"ended by EarlyStopping"``."""
        return stage_end_text(self.ended_by, self.stopped_by, self.done, self.total)

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> Self:
        """Make it of what a backup holds; a ValueError or TypeError where that makes no sense."""
        record = cls(**saved)
        for text in (record.name, record.unit, record.ended_by):
            if not isinstance(text, str):
                raise ValueError(f"expected a name, got {text!r:.40}")
        if not isinstance(record.stopped_by, str | None):
            raise ValueError(f"expected a name or None, got {record.stopped_by!r:.40}")
        for number in (record.done, record.seconds, record.began):
            as_number(number)
        for number, check in (
            (record.total, as_number),
            (record.cost, as_cost),
            (record.violations, as_violations),
            (record.budget, as_number),
        ):
            if number is not None:
                check(number)
        return record


def infeasible_words(reason: str) -> str:
    """Return one of the reasons why no solution can be without violations as a line."""
    return f"no solution can be without violations: {reason}"


def stage_rows(stages: list[StageRecord]) -> list[tuple[str, ...]]:
    """Return a table of how stages went, its head first; without violations where none are told."""
    rows = [("stage", "units", "time", "cost", "violations", "ended")]
    for stage in stages:
        rows.append(
            (
                stage.name,
                units_text(stage.done, stage.total, stage.unit),
                format_seconds(stage.seconds),
                format_number(stage.cost),
                format_number(stage.violations),
                stage.ended,
            )
        )
    if all(stage.violations is None for stage in stages):
        return [(*row[:4], *row[5:]) for row in rows]
    return rows
