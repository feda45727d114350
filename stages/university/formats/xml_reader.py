"""Read XML that somebody else wrote: element by element, and nothing but elements.

Expat reads a document in pieces and never opens a file. What makes XML dangerous is
refused here: entities, which can grow without bound or name files, and tags too long to
be real. A document type is passed over, since the files of ITC-2019 name one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from xml.parsers import expat

from ..errors import FormatError, InstanceError
from ..model.checks import shown
from .files import read_chunks

# Longest piece of a document that is kept unread; a real tag has under 1,000 characters.
_MAX_TAG = 4_000_000


class XmlReader:
    """Reads a document whose elements are known.

    A subclass has a method for each element that does something: ``begin_course`` takes
    its attributes when it begins, ``end_course`` nothing when it ends.

    Parameters
    ----------
    path
        The file.
    data
        Its bytes; None to read the file.

    Attributes
    ----------
    root
        Name of the outermost element.
    children
        The elements that an element may hold, by its path.
    single
        Paths of the elements that may be there only once.
    """

    root: ClassVar[str]
    children: ClassVar[Mapping[str, tuple[str, ...]]]
    single: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, path: str | os.PathLike[str], data: bytes | None = None) -> None:
        self.path = os.fspath(path)
        self._data = data
        self._open = [_Element("")]
        self._seen: set[str] = set()
        self._parser: Any = None

    @property
    def line(self) -> int:
        """Number of the line that is being read, from 1."""
        return self._parser.CurrentLineNumber

    def error(self, found: str, expected: str) -> FormatError:
        """Make the exception for the line that is being read."""
        return FormatError(self.path, self.line, found, expected)

    def parse(self, on_progress: Callable[[float], object] | None = None) -> None:
        """Read the document, calling the methods of its elements.

        Raises
        ------
        FormatError
            If it is no XML, has other elements, or a method finds something wrong.
        """
        # Without a namespace and with the encoding that the document names.
        parser = self._parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            self._feed(on_progress)
        except expat.ExpatError as error:
            found = f"broken XML ({expat.ErrorString(error.code)})"
            raise FormatError(self.path, error.lineno, found, "well-formed XML") from None
        except InstanceError as error:
            raise self.error(error.found, error.expected) from None
        except (LookupError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            # Python's own words for an encoding that it does not know.
            found = f"an encoding that cannot be read ({shown(str(error))})"
            raise FormatError(self.path, 1, found, "UTF-8") from None
        finally:
            # The handlers refer to this object, which refers to the parser.
            self._parser = _Line(parser.CurrentLineNumber)

    def _feed(self, on_progress: Callable[[float], object] | None) -> None:
        chunks: Iterable[tuple[bytes, float]]
        chunks = read_chunks(self.path) if self._data is None else ((self._data, 1.0),)
        fed = 0
        for data, part in chunks:
            self._parser.Parse(data, False)
            fed += len(data)
            if self._data is None and fed - self._parser.CurrentByteIndex > _MAX_TAG:
                raise self.error(f"a tag of more than {_MAX_TAG:,} bytes", "shorter tags")
            if on_progress is not None:
                on_progress(part)
        self._parser.Parse(b"", True)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        element = self._open[-1].inner.get(tag)
        if element is None:
            element = self._enter(tag)
        if element.is_single:
            if element.path in self._seen:
                raise self.error(f"a second <{tag}>", "one")
            self._seen.add(element.path)
        self._open.append(element)
        if element.begin is not None:
            element.begin(attributes)

    def _end(self, tag: str) -> None:
        end = self._open.pop().end
        if end is not None:
            end()

    def _enter(self, tag: str) -> _Element:
        """Return an element that is met for the first time there, if it may be there."""
        outer = self._open[-1]
        if not outer.path:
            if tag != self.root:
                raise self.error(f"<{shown(tag)[1:-1]}>", f"<{self.root}>")
            path = tag
        else:
            if tag not in (allowed := self.children.get(outer.path, ())):
                expected = " or ".join(f"<{one}>" for one in allowed) or "no element"
                where = outer.path.rsplit("/", 1)[-1]
                raise self.error(f"<{shown(tag)[1:-1]}> in <{where}>", expected)
            path = f"{outer.path}/{tag}"
        name = path.replace("/", "_")
        begin, end = (getattr(self, f"{when}_{name}", None) for when in ("begin", "end"))
        element = outer.inner[tag] = _Element(path, path in self.single, begin, end)
        return element

    def _text(self, text: str) -> None:
        if not text.isspace():
            raise self.error(f"the text {shown(text.strip())}", "an element")

    def _entity(self, name: str, *rest: Any) -> None:
        raise self.error(f"the entity {shown(name)}", "no entities")

    def _skipped(self, name: str, is_parameter: bool) -> None:
        raise self.error(f"the entity {shown(name)}", "no entities")

    def text(self, attributes: Mapping[str, str], name: str) -> str:
        """Return an attribute.

        Raises
        ------
        FormatError
            If it is not there.
        """
        try:
            return attributes[name]
        except KeyError:
            raise self.error(f"no attribute {name!r}", "one") from None

    def number(self, attributes: Mapping[str, str], name: str, default: int | None = None) -> int:
        """Return an attribute that is a whole number of 0 or more.

        Raises
        ------
        FormatError
            If it is not there and has no default, or is something else.
        """
        text = attributes.get(name)
        if text is None and default is not None:
            return default
        text = self.text(attributes, name)
        if len(text) < 12 and text.isascii() and text.isdigit():
            return int(text)
        raise self.error(f"{name} {shown(text)}", "a whole number, 0 or more")

    def flag(self, attributes: Mapping[str, str], name: str, default: bool) -> bool:
        """Return an attribute that is ``true`` or ``false``.

        Raises
        ------
        FormatError
            If it is something else.
        """
        text = attributes.get(name)
        if text is None:
            return default
        if text not in ("true", "false"):
            raise self.error(f"{name} {shown(text)}", "'true' or 'false'")
        return text == "true"


@dataclass(slots=True)
class _Element:
    """An element by its path, and what is done when one begins and ends."""

    path: str
    is_single: bool = False
    begin: Callable[[dict[str, str]], None] | None = None
    end: Callable[[], None] | None = None
    inner: dict[str, _Element] = field(default_factory=dict)


class _Line:
    """Remembers where a parser ended."""

    def __init__(self, line: int) -> None:
        self.CurrentLineNumber = line
