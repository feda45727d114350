"""The words of a run: the values that its logs hold, and how people are told of them.

Everything that shows or keeps a run takes its words from here, so that the
same end reads the same in a terminal, a notebook, a summary and a watcher.
"""

from typing import Final

from .formatting import format_number

RUNNING: Final = "running"
PAUSED: Final = "paused"
FINISHED: Final = "finished"
STOPPED: Final = "stopped"
INTERRUPTED: Final = "interrupted"
FAILED: Final = "failed"

#: What a run can be.
STATUSES = (RUNNING, PAUSED, FINISHED, STOPPED, INTERRUPTED, FAILED)

#: What a run is that goes on.
LIVE = (RUNNING, PAUSED)

TIME: Final = "time"
OPTIMAL: Final = "optimal"
SKIPPED: Final = "skipped"

#: How a stage can have ended, the ``ended_by`` of its logs.
STAGE_ENDS = (FINISHED, TIME, OPTIMAL, SKIPPED, STOPPED, INTERRUPTED, FAILED)

#: Ends of a stage after which no other stage follows.
ENDS_OF_THE_RUN = (STOPPED, INTERRUPTED)

#: What a watcher says of a run that gives no sign of life.
LOST: Final = "lost"

COMMAND: Final = "command"
CANCELLED: Final = "cancelled"
PROGRAM: Final = "program"

#: Who can end a run or a stage, beside callbacks, which are told by their class: somebody who
#: watches it from outside, a cancelled asyncio task, or the program that started it.
ENDERS = (COMMAND, CANCELLED, PROGRAM)

#: Who may want to go on with a run that they have ended.
FROM_OUTSIDE = (COMMAND, CANCELLED)

MIN: Final = "min"
MAX: Final = "max"

#: The goals of a pipeline: whether a lower cost is better, or a higher one.
GOALS = (MIN, MAX)

#: What the logs of every batch hold, whatever the stage.
CORE_COLUMNS = ("stage", "unit", "done", "total", "progress", "elapsed", "cost", "violations")

#: Those of them that are the whole run's, which the logs of every hook have.
RUN_COLUMNS = ("progress", "elapsed", "cost", "violations")

#: What the logs of a stage's end hold beside those of its last batch.
END_COLUMNS = ("batches", "seconds", "ended_by", "stopped_by")

_ENDERS_IN_WORDS = {COMMAND: "a command", PROGRAM: "the program"}


def outcome_text(
    status: str,
    stopped_by: str | None = None,
    error: str | None = None,
    violations: int | None = None,
) -> str:
    """Return how a run stands or ended: ``"finished"``, ``"stopped by EarlyStopping"``.

    Parameters
    ----------
    status
        One of `STATUSES`.
    stopped_by
        Who stopped it, as in the logs of ``on_pipeline_end``.
    error
        What made it fail, in one line.
    violations
        Of its best solution; where there are some in the end, they are told:
        ``"finished with 3 violations left"``.
    """
    left = ""
    if violations and status in (FINISHED, STOPPED, INTERRUPTED):
        left = f" with {format_number(violations)} {plural('violation', violations)} left"
    return f"{_outcome(status, stopped_by, error)}{left}"


def _outcome(status: str, stopped_by: str | None, error: str | None) -> str:
    if status in (STOPPED, INTERRUPTED):
        # An interruption that nobody is named for is Ctrl-C.
        return _ended(status, stopped_by)
    if status == FAILED and error:
        return f"{FAILED}: {error}"
    return status


def stage_end_text(
    ended_by: str, stopped_by: str | None = None, done: int | None = None, total: int | None = None
) -> str:
    """Return how a stage ended: ``"time is up"``, ``"ended by EarlyStopping"``.

    Parameters
    ----------
    ended_by
        One of `STAGE_ENDS`.
    stopped_by
        Who ended it, where somebody did.
    done, total
        Its units, finished and in all, as far as they are known.
    """
    if ended_by == FINISHED:
        early = done is not None and total is not None and done < total
        return "finished early" if early else FINISHED
    if ended_by == TIME:
        return "time is up"
    if ended_by == OPTIMAL:
        return "not needed" if done == 0 else "proven optimal"
    if ended_by == SKIPPED:
        by_callback = stopped_by is not None and stopped_by not in ENDERS
        return _ended("ended" if by_callback else SKIPPED, stopped_by)
    if ended_by == STOPPED:
        return _ended(STOPPED, stopped_by)
    return ended_by


def _ended(verb: str, by: str | None) -> str:
    if by is None:
        return verb
    if by == CANCELLED:
        return CANCELLED
    return f"{verb} by {_ENDERS_IN_WORDS.get(by, by)}"


def units_text(done: int, total: int | None, unit: str | None) -> str:
    """Return the units of a stage: ``"4/9 clusters"``, ``"1 episode"``."""
    count = f"{done:,}" if total is None else f"{done:,}/{total:,}"
    return f"{count} {plural(unit, done if total is None else total)}" if unit else count


def plural(unit: str, count: int) -> str:
    """Return what so many units are called: ``"cluster"`` for 1, ``"clusters"`` for 2."""
    if count == 1 or not unit.isascii() or not unit[-1:].isalpha():
        return unit
    if unit.endswith("y") and unit[-2:-1] not in tuple("aeiou"):
        return f"{unit[:-1]}ies"
    if unit.endswith(("ss", "sh", "ch", "x", "z")):
        return f"{unit}es"
    # One that ends so is taken for a plural already.
    return unit if unit.endswith("s") else f"{unit}s"


def best_text(cost: float | None, violations: int | None) -> str:
    """Return a solution in words: ``"cost 12, violations 0"``; ``"no solution"`` without one."""
    if cost is None:
        return "no solution"
    counted = "" if violations is None else f", violations {format_number(violations)}"
    return f"cost {format_number(cost)}{counted}"
