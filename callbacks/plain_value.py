"""Any value as what every logger can take: a number, a short text, or nothing."""

import math
import operator
import re
import reprlib
import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from .callback import Logs
from .safe_warning import warn_safely

PlainValue = bool | int | float | str | None

#: Types of the values that stay as they are.
NUMBERS = frozenset({bool, int, float, type(None)})

#: Longer texts lose their end.
LONGEST_TEXT = 1000

# So long may a text be that is remembered.
_SHORT_TEXT = 100
# Larger whole numbers are none that a float, and so most readers, could hold.
_MOST_BITS = 1023
# What would steer a terminal, or end a line or a text where nobody expects it.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# Whole numbers that need no closer look.
_USUAL = 1 << 29
# Texts that are plain, names of stages mostly, and how many of them are remembered.
_plain_texts: set[str] = set()
_MOST_TEXTS = 256
_KINDS_OF_NUMBERS = "biuf"


def plain_value(value: Any) -> PlainValue:
    """Return any value as a number, a short text, or None for None.

    Numbers are those of Python and all that become one: NumPy's, an array
    without dimensions, `Decimal`, `Fraction`, an object with ``__float__``. All
    else becomes a text, as Python shows it, of one line and at most
    `LONGEST_TEXT` characters. It never raises, whatever the value does.
    """
    if type(value) in NUMBERS and (type(value) is not int or value.bit_length() <= _MOST_BITS):
        return value
    if type(value) is str:
        return plain_text(value)
    try:
        number = _number(value)
    except Exception:
        number = None
    return short_text(value) if number is None else number


def plain_row(logs: Mapping[str, Any], control: Any = None) -> Logs:
    """Return logs whose values are numbers, short texts and None.

    Parameters
    ----------
    logs
        As a hook gets them.
    control
        The running pipeline: of a metric that loggers cannot keep as it is, a
        warning is given once a run, whoever logs it.
    """
    row: Logs = dict(logs)
    for name, value in logs.items():
        kind = type(value)
        # Most values are what they should be, and rows are many.
        if kind is float or value is None or (kind is int and -_USUAL < value < _USUAL):
            continue
        if kind is str and value in _plain_texts:
            continue
        row[name] = plain = plain_value(value)
        if plain is value and kind is str and len(_plain_texts) < _MOST_TEXTS:
            _plain_texts.add(value)
        if type(plain) is str and control is not None and not _is_short(value):
            _name_once(control, logs.get("stage"), name, value)
    return row


def is_number(value: Any) -> bool:
    """Tell whether `plain_value` makes a number of a value."""
    return isinstance(plain_value(value), int | float)


def plain_text(text: str) -> str:
    """Return a text that can be written anywhere: not too long, in UTF-8, without controls.

    Ends of lines become ``\\n``, other control characters and what Unicode has
    no character for are shown by their code.
    """
    if len(text) < _SHORT_TEXT and text.isascii() and text.isprintable():
        return text
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    text = str(text).replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub(_shown, text)
    return encodable(text)


def encodable(text: str) -> str:
    """Return a text without what UTF-8 cannot hold, halves of surrogate pairs."""
    return text.encode("utf-8", "backslashreplace").decode()


def short_text(value: Any) -> str:
    """Return any value as a short text of one line; never raises."""
    try:
        if isinstance(value, str):
            return plain_text(str.__str__(value))
        if isinstance(value, bytes | bytearray | memoryview):
            return plain_text(repr(bytes(value[:LONGEST_TEXT])))
        if isinstance(value, list | tuple | dict | set | frozenset):
            return plain_text(_SHORT.repr(value))
        return plain_text(" ".join(str(value).split()) or f"<{type(value).__name__}>")
    except Exception:
        return f"<{type(value).__name__}>"


def error_text(error: BaseException) -> str:
    """Return an error's class and message; never raises, whatever its message does."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        return type(error).__name__


def _number(value: Any) -> bool | int | float | None:
    """Return the number that a value is; None, or an error, where it is none."""
    if isinstance(value, str | bytes | bytearray) or getattr(value, "shape", ()) != ():
        return None
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind == "O":
        inner = plain_value(value.item())
        return None if isinstance(inner, str) else inner
    if isinstance(kind, str) and kind not in _KINDS_OF_NUMBERS:
        return None
    if kind == "b":
        return bool(value)
    if kind in ("i", "u") or (kind is None and hasattr(value, "__index__")):
        whole = operator.index(value)
        return whole if whole.bit_length() <= _MOST_BITS else None
    number = float(value)
    # What is only too large for a float is not infinite.
    return number if not math.isinf(number) or bool(value == number) else None


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


# What has been named in each run that goes on, by its tracker, which no other run has.
_named: WeakKeyDictionary[Any, set[tuple[Any, str]]] = WeakKeyDictionary()
_naming = threading.Lock()


def _name_once(control: Any, stage: Any, metric: str, value: Any) -> None:
    with _naming:
        named = _named.setdefault(control.tracker, set())
        if (stage, metric) in named:
            return
        named.add((stage, metric))
    kind = f"of type {type(value).__name__}"
    if isinstance(value, str):
        kind = f"a text of {len(value):,} characters"
    message = f"metric {metric!r} of stage {stage!r} is {kind}: loggers keep a short text of it"
    warn_safely(message, stacklevel=3)


def _shown(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class _Short(reprlib.Repr):
    """Shows the beginning of large and deep collections."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 20
        self.maxstring = self.maxother = self.maxlong = 200


_SHORT = _Short()
