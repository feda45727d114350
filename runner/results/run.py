"""What `Pipeline.fit` returns."""

import textwrap
from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any

from ...callbacks import History
from ...callbacks.formatting import format_number, format_seconds
from ...callbacks.plain_value import error_text
from ...callbacks.vocabulary import MAX, MIN, RUNNING, best_text, outcome_text
from ...stages.offered import proves_optimal
from .portable_exception import portable_exception
from .stage_record import StageRecord, infeasible_words, stage_rows

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
        ``"interrupted"`` by Ctrl-C, SIGTERM or SIGHUP, with the best so far; or
        ``"failed"``.
    stopped_by
        Who stopped it: a callback's class, ``"command"``, ``"program"``, …;
        ``"SIGTERM"`` or ``"SIGHUP"`` of an interrupted run that Ctrl-C has not
        interrupted; None
        otherwise.
    solution, cost, violations
        The best solution, its cost and its violated hard constraints; None
        when no stage found one. The violations are None too where no stage has
        ever told any.
    goal
        ``"min"`` where a lower cost is better, ``"max"`` where a higher one is.
    bound
        A proven lower bound of what solutions without violations cost (an upper
        one where the goal is ``"max"``); None when none is known.
    infeasible_because
        Reasons, in words, why no solution can be without violations; empty where
        none is known.
    seconds
        What the call took until all stages had ended, pauses not counted; the
        callbacks are told the same number at the end.
    history
        The logs of its batches.
    stages
        How each stage that began went.
    exception
        What made it fail; None otherwise.
    state
        What the stages left for each other. In a copy or a pickle, without the
        executor and what cannot be copied or pickled.
    config
        What the run is made of, as JSON knows it and without secrets: ``seed``,
        ``time_limit``, ``workers``, ``parameters`` of the stages by name, and
        ``callbacks``, each with ``name`` and ``parameters``.
    """

    __module__ = "schoolbell.runner"

    job_id: str
    seed: int
    history: History
    state: Any = field(repr=False)
    status: str = RUNNING
    stopped_by: str | None = None
    solution: Any = None
    cost: float | None = None
    violations: int | None = None
    bound: float | None = None
    infeasible_because: tuple[str, ...] = ()
    seconds: float = 0.0
    stages: list[StageRecord] = field(default_factory=list)
    exception: BaseException | None = None
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    goal: str = MIN

    def __getstate__(self) -> dict[str, Any]:
        return self._values() | {"exception": portable_exception(self.exception)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # One that was pickled before runs had a goal.
        for name, value in {"goal": MIN, **state}.items():
            setattr(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Run":
        new = memo[id(self)] = Run.__new__(type(self))
        if self.exception is not None:
            # Of a kind, perhaps, that cannot be made again.
            memo[id(self.exception)] = self.exception
        new.__setstate__({name: deepcopy(one, memo) for name, one in self._values().items()})
        return new

    def _values(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def summary(self) -> str:
        """Return the run in words.

        How it ended, what it found, a row for each stage, and the parameters of
        the stages and the callbacks.
        """
        lines = [f"Run {self.job_id}: {self.outcome} in {format_seconds(self.seconds)}", self.best]
        lines += map(infeasible_words, self.infeasible_because)
        if self.stages:
            lines += ["", *_table(self.stages)]
        if self.config:
            lines += ["", *_parameters(self.config)]
        return "\n".join(lines)

    @property
    def outcome(self) -> str:
        """The status with its reason and the violations that are left, in words.

        ``"finished"``, ``"finished with 3 violations left"``, ``"stopped by EarlyStopping"``.
        """
        error = self.exception
        about = None if error is None else error_text(error)
        violations = None if self.status == RUNNING else self.violations
        return outcome_text(self.status, self.stopped_by, about, violations)

    @property
    def optimal(self) -> bool:
        """Whether the solution has no violations and a cost that is proved to be the best."""
        return proves_optimal(self.cost, self.violations, self.bound, self.goal == MAX)

    @property
    def best(self) -> str:
        """What was found, in words: ``"cost 12, violations 0, lower bound 5"``."""
        best = best_text(self.cost, self.violations)
        if self.cost is None or self.bound is None:
            return best
        if self.optimal:
            return f"{best}, proven optimal"
        bound = format_number(self.bound)
        if self.goal == MAX:
            return f"{best}, upper bound {bound}"
        # That costs are not negative is no news.
        return f"{best}, lower bound {bound}" if self.bound else best

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


def _parameters(config: dict[str, Any]) -> list[str]:
    """Return lines with the seed, the limits, and the parameters of stages and callbacks."""
    names = ("seed", "time_limit", "workers")
    about = {name: config[name] for name in names}
    if config.get("goal", MIN) != MIN:
        about["goal"] = config["goal"]
    rows = [("run", about), *config["parameters"].items()]
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
    left = {0, 1, len(rows[0]) - 1}
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
