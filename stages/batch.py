"""A finished unit of a stage's work."""

from collections.abc import Mapping
from typing import Any


class Batch:
    """What a stage yields after each finished unit of its work.

    Parameters
    ----------
    done
        Units of the stage finished so far, this one included: a number from 0,
        never less than in the batch before and never above the total.
    total
        Units that the stage expects to do in all; None while it is not known.
        It may change from batch to batch.
    logs
        Values of the stage's declared ``metrics``; a metric that is left out
        has no value in this batch, another name is an error. A value may be
        anything: loggers keep numbers and texts as they are, and of all else a
        short text.
    """

    __module__ = "schoolbell.stages"

    __slots__ = ("done", "logs", "total")

    def __init__(
        self,
        done: int,
        total: int | None = None,
        logs: Mapping[str, Any] | None = None,
    ) -> None:
        self.done = done
        self.total = total
        self.logs = logs

    def __repr__(self) -> str:
        return f"Batch(done={self.done}, total={self.total}, logs={self.logs})"
