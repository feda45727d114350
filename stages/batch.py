"""A finished unit of a stage's work."""

from collections.abc import Mapping


class Batch:
    """What a stage yields after each finished unit of its work.

    Parameters
    ----------
    done
        Units of the stage finished so far, this one included; never less than
        in the batch before.
    total
        Units that the stage expects to do in all; None while it is not known.
        It may change from batch to batch.
    logs
        Values of the stage's declared ``metrics``; a metric that is left out
        has no value in this batch.
    """

    __slots__ = ("done", "logs", "total")

    def __init__(
        self,
        done: int,
        total: int | None = None,
        logs: Mapping[str, float | None] | None = None,
    ) -> None:
        self.done = done
        self.total = total
        self.logs = logs

    def __repr__(self) -> str:
        return f"Batch(done={self.done}, total={self.total}, logs={self.logs})"
