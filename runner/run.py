"""What `Pipeline.fit` returns."""

import textwrap
from dataclasses import dataclass, field
from typing import Any

from ..callbacks import History
from ..callbacks.formatting import format_number, format_seconds
from ..callbacks.plain_value import error_text
from .stage_record import StageRecord

_WIDTH = 100


@dataclass(slots=True, eq=False)
class Run:
    """What one `Pipeline.fit` found and how it went.

    Attributes
    ----------
    job_id, seed
        The run's id and its random seed.
    status
        ``"finished"``; ``"stopped"`` by a callback or a command;
        ``"interrupted"`` by Ctrl-C, with the best so far; or ``"failed"``.
    stopped_by
        Who stopped it: ``"callback"``, ``"command"``, …; None otherwise.
    solution, cost, violations
        The best solution, its cost and its violated hard constraints; None
        when no stage found one.
    bound
        A proven lower bound of what solutions without violations cost; None when
        none is known.
    seconds
        What the whole call took, pauses not counted.
    history
        The logs of its batches.
    stages
        How each stage that began went.
    exception
        What made it fail; None otherwise.
    state
        What the stages left for each other.
    config
        What the run is made of, as JSON knows it and without secrets: ``seed``,
        ``time_limit``, ``workers``, ``parameters`` of the stages by name, and
        ``callbacks``, each with ``name`` and ``parameters``.
    """

    job_id: str
    seed: int
    history: History
    state: Any = field(repr=False)
    status: str = "running"
    stopped_by: str | None = None
    solution: Any = None
    cost: float | None = None
    violations: int | None = None
    bound: float | None = None
    seconds: float = 0.0
    stages: list[StageRecord] = field(default_factory=list)
    exception: BaseException | None = None
    config: dict[str, Any] = field(default_factory=dict, repr=False)

    def summary(self) -> str:
        """Return the run in words.

        How it ended, what it found, a row for each stage, and the parameters of
        the stages and the callbacks.
        """
        lines = [f"Run {self.job_id}: {self.outcome} in {format_seconds(self.seconds)}", self.best]
        if self.stages:
            lines += ["", *_table(self.stages)]
        if self.config:
            lines += ["", *_parameters(self.config)]
        return "\n".join(lines)

    @property
    def outcome(self) -> str:
        """The status with its reason: ``"stopped: command"``."""
        if self.status == "stopped":
            return f"stopped: {self.stopped_by}"
        if self.exception is not None:
            return f"failed: {error_text(self.exception)}"
        return self.status

    @property
    def optimal(self) -> bool:
        """Whether the solution has no violations and a cost that is proved to be the lowest."""
        if self.bound is None or self.cost is None:
            return False
        return self.violations == 0 and self.cost <= self.bound

    @property
    def best(self) -> str:
        """What was found, in words: ``"cost 12, violations 0, lower bound 5"``."""
        if self.cost is None:
            return "no solution"
        proved = "" if self.bound is None else f", lower bound {format_number(self.bound)}"
        if self.optimal:
            proved = ", proven optimal"
        return f"cost {format_number(self.cost)}, violations {self.violations}{proved}"

    def _repr_html_(self) -> str:
        """Show the run in a notebook: how it went, the cost's curve, and the solution."""
        from .run_html import run_html

        return run_html(self)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        return (
            f"<Run {self.job_id}: {self.outcome}, cost {format_number(self.cost)}, "
            f"violations {format_number(self.violations)}, {format_seconds(self.seconds)}>"
        )


def stage_rows(stages: list[StageRecord]) -> list[tuple[str, ...]]:
    """Return a table of how stages went, its head first."""
    rows = [("stage", "units", "time", "cost", "violations", "ended")]
    for stage in stages:
        total = "" if stage.total is None else f"/{stage.total:,}"
        rows.append(
            (
                stage.name,
                f"{stage.done:,}{total} {stage.unit}",
                format_seconds(stage.seconds),
                format_number(stage.cost),
                format_number(stage.violations),
                stage.ended_by,
            )
        )
    return rows


def _parameters(config: dict[str, Any]) -> list[str]:
    """Return lines with the seed, the limits, and the parameters of stages and callbacks."""
    names = ("seed", "time_limit", "workers")
    rows = [("run", {name: config[name] for name in names}), *config["parameters"].items()]
    rows += [(one["name"], one["parameters"]) for one in config["callbacks"]]
    width = max(len(name) for name, _ in rows) + 2
    lines = []
    for name, values in rows:
        text = ", ".join(f"{key}={value!r}" for key, value in values.items())
        lines += textwrap.wrap(
            name.ljust(width) + text,
            width=_WIDTH,
            subsequent_indent=" " * width,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def _table(stages: list[StageRecord]) -> list[str]:
    rows = stage_rows(stages)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {0, 1, 5}
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
