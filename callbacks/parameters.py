"""Parameters of stages and callbacks: their names, and what of their values may be told."""

import inspect
import math
import os
import re
import reprlib
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"

_SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|auth|credential|headers", re.I)
# User and password in a URL; also where an unescaped "/" or "@" is part of them.
_USER_INFO = re.compile(r"(?<=://)[^\s]*@")
_SECRET_OPTION = re.compile(r"([?&][^=&\s]*(?:password|secret|token|key)[^=&\s]*=)[^&\s]*", re.I)
_DEEPEST = 8
# Longer lists are told as Python would abbreviate them: they are data, not settings.
_MOST_ITEMS = 1000


def parameter_names(cls: type) -> list[str]:
    """Return the names of a constructor's parameters, in order."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [one.name for one in parameters if one.name != "self" and one.kind in kinds]


def public_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as JSON knows them and without secrets.

    Hidden are values whose names speak of a password, a token or headers, and
    user and password in any URL. What JSON has no place for becomes a text: a
    path as it is, an array and anything else as Python shows it.
    """
    return {
        name: HIDDEN if _SECRET_NAME.search(name) and value is not None else _public(value)
        for name, value in values.items()
    }


def _public(value: Any, depth: int = 0) -> Any:
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        value = value.item()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str | os.PathLike):
        return without_secrets(os.fsdecode(value))
    if depth < _DEEPEST:
        if isinstance(value, Mapping) and len(value) <= _MOST_ITEMS:
            return {str(name): _public(one, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple) and len(value) <= _MOST_ITEMS:
            return [_public(one, depth + 1) for one in value]
    shorten = reprlib.repr if isinstance(value, list | tuple | Mapping) else repr
    try:
        text = shorten(value)
    except Exception:
        # Nothing that cannot show itself is a reason not to run.
        text = f"<{type(value).__name__}>"
    return without_secrets(text)


def without_secrets(text: str) -> str:
    """Return a text with user and password of URLs hidden."""
    return _SECRET_OPTION.sub(rf"\1{HIDDEN}", _USER_INFO.sub(f"{HIDDEN}@", text))
