"""What a stage offers, made into numbers that can be compared."""

import math
import operator
from typing import Any

import numpy as np

from .plain_data import shown

_TEXTS = (str, bytes, bytearray)
# Whole numbers up to this are floats too, and most are.
_EXACT = 1 << 53


def as_cost(value: Any, name: str = "cost") -> float:
    """Return a value as a number of Python's own: a whole one as an int, any other as a float.

    NaN and infinity are numbers too. An array of one number is taken for it.

    Parameters
    ----------
    value
        The value.
    name
        What to call it in an error.

    Raises
    ------
    TypeError
        For what is no real number: a text, None, a complex number, several.
    ValueError
        For one that a float cannot hold.
    """
    if type(value) is float or (type(value) is int and -_EXACT <= value <= _EXACT):
        return value
    try:
        number = _scalar(value)
        result = operator.index(number) if hasattr(number, "__index__") else float(number)
        if math.isinf(float(result)) and number != result:
            raise OverflowError
    except OverflowError:
        raise ValueError(f"{name} must be within what a float holds, got {shown(value)}") from None
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise TypeError(f"{name} must be a real number, got {shown(value)}") from error
    return result


def as_violations(value: Any) -> int:
    """Return a number of violations as an int; a float may stand for a whole number.

    Raises
    ------
    TypeError
        For what is no real number.
    ValueError
        For one that is not whole or below 0.
    """
    if type(value) is int and 0 <= value <= _EXACT:
        return value
    number = as_cost(value, "violations")
    if not (math.isfinite(number) and number == int(number) and number >= 0):
        raise ValueError(f"violations must be a whole number from 0, got {shown(value)}")
    return int(number)


class _NotGiven(int):
    """No violations, of a stage that has said nothing of them."""


NOT_GIVEN = _NotGiven(0)
"""What violations are where a stage offers a cost alone."""


def rank(cost: float, violations: int, rising: bool = False) -> tuple[bool, int, float]:
    """Return what orders solutions, the best first and those whose cost is NaN last.

    Parameters
    ----------
    cost, violations
        Of a solution.
    rising
        Whether a higher cost is better.
    """
    if math.isnan(cost):
        return True, violations, 0.0
    return False, violations, -cost if rising else cost


def proves_optimal(
    cost: float | None, violations: int | None, bound: float | None, rising: bool = False
) -> bool:
    """Tell whether a proven bound shows that no solution is better than one."""
    if cost is None or bound is None or violations:
        return False
    return cost >= bound if rising else cost <= bound


def _scalar(value: Any) -> Any:
    """Return the one number of an array; anything else as it is, if it can be a real number."""
    shape = getattr(value, "shape", None)
    if shape is not None and math.prod(shape) == 1:
        value = value.item()
    # float() takes texts, and of numpy's complex numbers the real part.
    if isinstance(value, _TEXTS) or np.iscomplexobj(value):
        raise TypeError(f"a {type(value).__name__} is no real number")
    if isinstance(value, np.generic | np.ndarray):
        # Several numbers, a longdouble, or a time, which float() takes too.
        if value.dtype.kind not in "biuf":
            raise TypeError(f"{value.dtype} is no real number")
        return float(value)
    return value
