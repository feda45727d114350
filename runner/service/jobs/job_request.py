"""What is asked for with a job."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from ....callbacks.argument_error import ArgumentError

_MOST_LETTERS = 100
_MOST_PARAMETERS = 200
_DEEPEST = 3
_LARGEST_SEED = 2**63 - 1
_WORD = re.compile(r"[A-Za-z0-9_-]{1,50}")


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What is asked for with a job, beside its instance.

    Attributes
    ----------
    name
        What people call it; empty for none.
    formulation
        The constraints that count, by name.
    seed
        0 or more.
    time_limit
        Seconds; None to let every stage spend its units.
    parameters
        Of the stages, as ``{"ga.population": 8}``.

    Raises
    ------
    ValueError
        For a value that makes no sense; it names parameter, value and what was expected.
    """

    name: str = ""
    formulation: str = "UD2"
    seed: int = 0
    time_limit: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("name", "formulation"):
            value = getattr(self, name)
            if not isinstance(value, str) or len(value) > _MOST_LETTERS or not _printable(value):
                wanted = f"a text of at most {_MOST_LETTERS} printable letters"
                raise ArgumentError.of(name, wanted, value)
        if type(self.seed) is not int or not 0 <= self.seed <= _LARGEST_SEED:
            raise ArgumentError.of("seed", "a whole number of 0 or more", self.seed)
        limit = self.time_limit
        if limit is not None:
            number = isinstance(limit, int | float) and not isinstance(limit, bool)
            if not number or not 0 < limit < math.inf:
                raise ArgumentError.of("time_limit", "a positive number of seconds", limit)
        self._check_parameters()

    def _check_parameters(self) -> None:
        wanted = 'an object such as {"ga.population": 8}'
        if not isinstance(self.parameters, Mapping) or len(self.parameters) > _MOST_PARAMETERS:
            raise ArgumentError.of("parameters", wanted, self.parameters)
        for name in self.parameters:
            stage, dot, parameter = name.partition(".")
            if not (stage and dot and parameter) or not _printable(name):
                raise ArgumentError.of("parameters", wanted, name)
            value = self.parameters[name]
            if not _is_value(value):
                # So would a text that could be a path.
                wanted = "a number, a truth value, a word or a short list of them"
                raise ArgumentError.of(name, wanted, value)

    def digest(self, instance: bytes) -> str:
        """Return what tells this request with its instance from any other."""
        text = json.dumps(asdict(self), sort_keys=True, default=dict)
        return hashlib.sha256(text.encode() + b"\0" + instance).hexdigest()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return the request that `asdict` made these values of."""
        names = ("name", "formulation", "seed", "time_limit", "parameters")
        return cls(**{name: values[name] for name in names if name in values})


def _is_value(value: Any, depth: int = 0) -> bool:
    """Tell whether a parameter can have this value: nothing deep, long or infinite."""
    if isinstance(value, list):
        short = depth < _DEEPEST and len(value) <= _MOST_PARAMETERS
        return short and all(_is_value(one, depth + 1) for one in value)
    if isinstance(value, str):
        return _WORD.fullmatch(value) is not None
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) <= _LARGEST_SEED)


def _printable(text: Any) -> bool:
    return isinstance(text, str) and text.isprintable()
