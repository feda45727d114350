"""A distribution: a rule over some classes."""

import re
from dataclasses import dataclass, field

from ...names import did_you_mean
from ..errors import InstanceError
from .checks import identifier, shown, whole_number
from .limits import MAX_NUMBER

PAIR_KINDS = {
    "SameStart": 0,
    "SameTime": 0,
    "DifferentTime": 0,
    "SameDays": 0,
    "DifferentDays": 0,
    "SameWeeks": 0,
    "DifferentWeeks": 0,
    "SameRoom": 0,
    "DifferentRoom": 0,
    "Overlap": 0,
    "NotOverlap": 0,
    "SameAttendees": 0,
    "Precedence": 0,
    "WorkDay": 1,
    "MinGap": 1,
}
"""Kinds of rules between each pair of the classes, with the number of their parameters."""

GLOBAL_KINDS = {"MaxDays": 1, "MaxDayLoad": 1, "MaxBreaks": 2, "MaxBlock": 2}
"""Kinds of rules over all of the classes at once, with the number of their parameters."""

KINDS = {**PAIR_KINDS, **GLOBAL_KINDS}
"""All 19 kinds of rules."""

_TYPE = re.compile(r"([A-Za-z]+)(?:\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A rule over some classes, required or at a cost.

    Parameters
    ----------
    type
        Kind of the rule with its parameters: ``"SameStart"``, ``"WorkDay(24)"``,
        ``"MaxBreaks(1,12)"``.
    classes
        Ids of classes, each once; their order counts for Precedence.
    penalty
        What a violation costs, 0 or more; None for a rule that must hold.

    Attributes
    ----------
    kind
        Kind of the rule, one of `KINDS`.
    parameters
        Its numbers, in slots, but days for MaxDays and breaks for the first of MaxBreaks.

    Raises
    ------
    InstanceError
        If there is no such rule, a class is there twice, or a number is impossible.
    """

    __module__ = "schoolbell.stages.university"

    type: str
    classes: tuple[str, ...]
    penalty: int | None = None
    kind: str = field(init=False, compare=False, repr=False)
    parameters: tuple[int, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        match = _TYPE.fullmatch(self.type) if isinstance(self.type, str) else None
        if match is None or match[1] not in KINDS:
            close = did_you_mean(match[1], KINDS) if match else ""
            raise InstanceError(
                f"distribution {shown(self.type)}", f"one of {', '.join(KINDS)}{close}"
            )
        given = [text for text in match.groups()[1:] if text is not None]
        if len(given) != KINDS[match[1]]:
            found = f"{len(given)} parameters in {shown(self.type)}"
            raise InstanceError(found, str(KINDS[match[1]]))
        numbers = tuple(
            # Python refuses to read thousands of digits.
            whole_number(int(text[:20]), 0, MAX_NUMBER, f"parameter of {match[1]}")
            for text in given
        )
        classes = tuple(identifier(one, f"class of {match[1]}") for one in self.classes)
        if len(set(classes)) < len(classes):
            raise InstanceError(f"a class of {match[1]} twice", "each class once")
        written = f"{match[1]}({','.join(map(str, numbers))})" if numbers else match[1]
        values: dict[str, object] = {"type": written, "classes": classes}
        values |= {"kind": match[1], "parameters": numbers}
        if self.penalty is not None:
            values["penalty"] = whole_number(self.penalty, 0, MAX_NUMBER, f"penalty of {match[1]}")
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def required(self) -> bool:
        """Whether it must hold."""
        return self.penalty is None
