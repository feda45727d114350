"""A yield in the midst of a unit of work."""

from typing import final

ROUNDING = 1e-9


@final
class Pulse:
    """What a stage yields while a unit is on its way: how much of it is done.

    Parameters
    ----------
    part
        Part of the unit in hand that is done, 0 to 1, never less than in the
        pulse before; None where the stage cannot tell, which is the same as to
        yield None.
    message
        What displays say instead of the stage's count of units, until the unit
        is finished or another pulse says something else: ``"Compiling the
        search, once on this machine: 7/31"``. None for the count.
    total
        Units that the stage will do in all, where that is known before the first
        of them is finished; None to leave it as it was.

    Raises
    ------
    ValueError
        For a part that is not a number from 0 to 1.
    """

    __module__ = "schoolbell.stages"

    __slots__ = ("message", "part", "total")

    def __init__(
        self, part: float | None = None, message: str | None = None, total: int | None = None
    ) -> None:
        if part is not None:
            part = float(part)
            # What was added up of parts may be off by a rounding.
            if not -ROUNDING <= part <= 1.0 + ROUNDING:
                raise ValueError(f"part must be a number from 0 to 1, or None, got {part}")
        self.part = None if part is None else min(max(part, 0.0), 1.0)
        self.message = message
        self.total = total

    def __repr__(self) -> str:
        message = "" if self.message is None else f", message={self.message!r}"
        total = "" if self.total is None else f", total={self.total}"
        return f"Pulse({self.part}{message}{total})"
