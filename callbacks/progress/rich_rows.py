"""Lays out the rows of the display in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .display import columns, cut

if TYPE_CHECKING:
    from rich.text import Text

_GAP = "  "
_NARROWEST_BAR, _NARROWEST_LABEL, _WIDEST_TITLE = 6, 8, 28
_LEVELS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """What stands in one line.

    Attributes
    ----------
    label, percent, seconds, cost, violations
        Cells.
    words
        How far it is or how it ended: in full, and shorter and shorter.
    message
        What stands in the place of bar and words, if anything does.
    """

    label: str
    percent: str
    words: Sequence[str]
    seconds: str
    cost: str
    violations: str
    progress: float
    style: str
    message: str = ""
    label_style: str = ""
    best_style: str = ""

    def word(self, level: int) -> str:
        """Return the words at a level: 0 for all of them."""
        return self.words[min(level, len(self.words) - 1)] if self.words else ""


@dataclass(slots=True)
class _Widths:
    """How wide the columns are; one of no width is left out, with its gap."""

    label: int
    bar: int
    percent: int
    words: int
    seconds: int
    cost: int
    violations: int

    def taken(self) -> int:
        cells = (self.label, self.bar, self.percent, self.words, self.seconds, self.cost)
        shown = [one for one in (*cells, self.violations) if one]
        return sum(shown) + len(_GAP) * (len(shown) - 1)


def lay_out(lines: Sequence[Line], width: int, bar: tuple[str, str, str]) -> "list[Text]":
    """Return the lines as texts of no more than so many columns.

    Where there is not room for everything, the words are shortened first, then
    seconds, bars and violations go, and only then labels lose their ends.

    Parameters
    ----------
    lines
        The run's first.
    width
        Columns that there are.
    bar
        What bars are made of: what is done, a half of that, and the rest.
    """
    head, *rows = lines
    widths, level = _fit(head, rows, width)
    # How the run stands may be long: it takes what the bars can spare.
    for word in head.words:
        more = max(0, columns(word) - widths.words)
        if more <= max(0, widths.bar - _NARROWEST_BAR):
            widths.words += more
            widths.bar -= more
            head = replace(head, words=(word,))
            break
    else:
        head = replace(head, words=head.words[-1:])
    return [_laid_out(line, widths, level, bar) for line in (head, *rows)]


def _fit(head: Line, rows: Sequence[Line], width: int) -> tuple[_Widths, int]:
    lines = (head, *rows)
    labels = [columns(line.label) for line in rows]
    widths = _Widths(0, 0, 0, 0, 0, 0, 0)
    for level in range(_LEVELS):
        title = min(columns(head.label), _WIDEST_TITLE if level == 0 else _NARROWEST_LABEL)
        widths = _Widths(
            label=max([title, *labels]),
            bar=_NARROWEST_BAR,
            percent=max(columns(line.percent) for line in lines),
            words=max(columns(head.word(_LEVELS)), *(columns(row.word(level)) for row in rows), 0),
            seconds=max(columns(line.seconds) for line in lines),
            cost=max(columns(line.cost) for line in lines),
            violations=max(columns(line.violations) for line in lines),
        )
        if widths.taken() <= width:
            widths.bar += width - widths.taken()
            return widths, level
    for name in ("seconds", "bar", "violations"):
        setattr(widths, name, 0)
        if widths.taken() <= width:
            break
    widths.label -= max(0, min(widths.taken() - width, widths.label - _NARROWEST_LABEL))
    widths.words -= max(0, min(widths.taken() - width, widths.words))
    if widths.bar:
        widths.bar += width - widths.taken()
    else:
        widths.words += max(0, width - widths.taken()) if widths.words else 0
    return widths, _LEVELS - 1


def _laid_out(line: Line, widths: _Widths, level: int, bar: tuple[str, str, str]) -> "Text":
    from rich.text import Text

    cells: list[Text] = [_cell(line.label, widths.label, line.label_style)]
    if line.message:
        span = (widths.bar, widths.percent, widths.words, widths.seconds)
        room = sum(span) + len(_GAP) * (sum(map(bool, span)) - 1)
        cells.append(_cell(f"{line.percent}{_GAP}{line.message}", room, line.style))
    else:
        if widths.bar:
            cells.append(_bar(line, widths.bar, bar))
        cells.append(_cell(line.percent, widths.percent, right=True))
        if widths.words:
            cells.append(_cell(line.word(level), widths.words, line.style))
        if widths.seconds:
            cells.append(_cell(line.seconds, widths.seconds, right=True))
    for text, width in ((line.cost, widths.cost), (line.violations, widths.violations)):
        if width:
            cells.append(_cell(text, width, line.best_style, right=True))
    text = Text(_GAP, no_wrap=True, overflow="crop", end="\n").join(cells)
    text.no_wrap, text.overflow = True, "crop"
    text.rstrip()
    return text


def _cell(text: str, width: int, style: str = "", right: bool = False) -> "Text":
    from rich.text import Text

    text = cut(text, width)
    room = " " * (width - columns(text))
    cell = Text(text, style)
    return Text(room).append_text(cell) if right else cell.append(room)


def _bar(line: Line, width: int, bar: tuple[str, str, str]) -> "Text":
    from rich.text import Text

    full, half, rest = bar
    halves = int(2 * width * min(max(line.progress, 0.0), 1.0))
    done = full * (halves // 2) + half * (halves % 2)
    return Text.assemble((done, line.style), (rest * (width - len(done)), "bar.back"))
