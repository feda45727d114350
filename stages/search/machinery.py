"""The compiler's machinery: numba's private interfaces where they fit, else plain `njit`.

The private ones make compilation several times shorter and keep kernels on disk with
all that they take in. Plain kernels find the same, but are compiled in every process.
`SCHOOLBELL_NUMBA` in the environment chooses: ``private`` or ``plain``.
"""

import os
import warnings
from typing import TYPE_CHECKING

import numba

OLDEST, NEWEST = (0, 60), (0, 68)
"""The numbas that the private interfaces were tried with; pyproject.toml asks for these."""
VARIABLE = "SCHOOLBELL_NUMBA"


def _installed() -> tuple[int, ...]:
    return tuple(int(part) for part in numba.__version__.split(".")[:2])


def _is_private() -> bool:
    """Choose; where nobody has, the private interfaces if they were tried with this numba."""
    wanted = os.environ.get(VARIABLE) or ""
    if wanted not in ("", "private", "plain"):
        raise ValueError(f"{VARIABLE} must be private or plain, got {wanted!r}")
    if wanted:
        return wanted == "private"
    if OLDEST <= _installed() <= NEWEST:
        return True
    _warn(f"kernels were tried with {_text(OLDEST)} to {_text(NEWEST)}")
    return False


def _warn(why: str) -> None:
    warnings.warn(
        f"numba is {numba.__version__} and {why}: they are compiled plainly, in every "
        f"process, which takes minutes ({VARIABLE}=private to try all the same)",
        RuntimeWarning,
        stacklevel=2,
    )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


PRIVATE = _is_private()
"""Whether numba's private interfaces are used."""

if PRIVATE or TYPE_CHECKING:
    try:
        from .numba_interfaces import record_type as record_type
        from .numba_interfaces.events import CompileListener, listening
        from .numba_interfaces.kernels import inner, kernel
    except (ImportError, AttributeError, TypeError) as error:
        if os.environ.get(VARIABLE):
            raise
        _warn(f"has not what kernels need of it ({error})")
        PRIVATE = False

if not PRIVATE:
    from .plain import CompileListener, inner, kernel, listening

__all__ = ["PRIVATE", "CompileListener", "inner", "kernel", "listening"]
