"""JSON that somebody else may have written, read with checks by msgspec."""

import re
from typing import Any, TypeVar

import msgspec

_Kind = TypeVar("_Kind")

_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?$")
_WRONG = re.compile(r"Expected (.*?)(?:, got .*?)?(?: - at `\$\.?(.*)`)?$")
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "object": "an object",
    "array": "a list",
    "bool": "true or false",
    "null": "nothing",
}
_LONGEST = 60


def parsed(text: str) -> Any:
    """Return what a JSON text holds.

    Raises
    ------
    ValueError
        For what is no JSON, NaN and infinity among it, or nested too deep; a message with the
        line.
    """
    try:
        return msgspec.json.decode(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except msgspec.MsgspecError as error:
        reason, _, at = str(error).removeprefix("JSON is malformed: ").partition(" (byte ")
        data = text.encode()
        place = int(at.rstrip(")")) if at else len(data)
        line = data.count(b"\n", 0, place) + 1
        raise ValueError(f"{line}: is no JSON: {reason[:1].lower()}{reason[1:]}") from None


def checked(values: Any, kind: type[_Kind]) -> _Kind:
    """Return values as a type has them.

    Raises
    ------
    ValueError
        Where they do not fit: ``"seed is 1.5, expected a whole number"``.
    """
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_told(str(error), values, kind)) from None


def told_as(text: str | None, kind: type[_Kind]) -> _Kind:
    """Return what a JSON text holds; an empty `kind` where it is no such thing.

    For what a server keeps, which anybody may have written there.
    """
    try:
        return msgspec.json.decode(text or "", type=kind)
    # The last two: halves of surrogate pairs, and brackets without end.
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return kind()


def short(value: Any) -> str:
    """Return a value as a message has it."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _told(message: str, values: Any, kind: type) -> str:
    missing = _MISSING.match(message)
    if missing is not None and not missing[2] and isinstance(values, dict):
        # Asked again with something that it cannot be, msgspec tells what it should.
        try:
            msgspec.convert({**values, missing[1]: ...}, kind)
        except msgspec.ValidationError as error:
            return f"{missing[1]} is nothing, expected {_expected(str(error))}"
    wrong = _WRONG.match(message)
    if wrong is None:
        return message
    path = wrong[2] or ""
    return f"{path} is {short(_at(values, path))}, expected {_expected(message)}".lstrip()


def _expected(message: str) -> str:
    wrong = _WRONG.match(message)
    if wrong is None:
        return message
    expected = re.sub(r"`([^`]*)`", lambda one: _in_words(one[1]), wrong[1])
    return expected.replace(" >= ", " from ").replace(" > ", " above ")


def _in_words(types: str) -> str:
    # That nothing will do as well is no news to who has given something.
    names = [name for name in types.split(" | ") if name != "null"]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _at(values: Any, path: str) -> Any:
    """Return what stands at a path of msgspec's: ``stages[3].name``."""
    for name, position in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        values = values[int(position)] if position else getattr(values, "get", {}.get)(name)
    return values
