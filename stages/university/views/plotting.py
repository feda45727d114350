"""A university's timetable drawn with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ...views.course_color import course_color
from ...views.fonts import use_fonts_that_have_all
from ..cost.words import clock, day_name
from ..errors import TimetableError
from ..model.checks import shown
from .class_groups import PLURALS, By, group_classes
from .drawn_classes import DrawnClasses
from .lanes import lanes
from .notebook_view import shortened
from .week_words import week_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..model.solution import Solution

MOST_ROWS = 50
"""Most rooms, courses, classes, groups or students in one picture of them all."""

MOST_LETTERS = 18

_MOST_LABELS = 400
# Points: text below the least size cannot be read.
_LEAST_FONT, _LARGEST_FONT = 5.0, 9.0
# Width of a letter and height of a line, in font sizes.
_LETTER, _LINE = 0.62, 1.35
_EMPTY, _CLASH, _RULE, _INK = "#f4f5f8", "#d7263d", "#c9cede", "#1b2130"
_PICTURE_INCHES = (11.0, 7.0)


def plot(
    solution: Solution,
    by: By = "room",
    which: str | None = None,
    week: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a timetable; see `Solution.plot`."""
    groups = group_classes(solution, by)
    chosen = None if which is None else groups.position(which)
    if week is not None:
        _check_week(week, solution)
    axes = _new_axes() if ax is None else ax
    drawn = DrawnClasses(solution, groups, week)
    if chosen is None:
        _draw_overview(axes, drawn)
    else:
        _draw_week(axes, drawn, chosen)
    use_fonts_that_have_all(axes)
    return axes


def _check_week(week: Any, solution: Solution) -> None:
    weeks = solution.instance.weeks
    if isinstance(week, bool) or not isinstance(week, int | np.integer) or not 1 <= week <= weeks:
        raise TimetableError(f"week is {shown(week)}, expected None or 1 to {weeks}")


def _new_axes() -> Axes:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            "drawing a timetable needs matplotlib: pip install 'schoolbell[plot]'"
        ) from error
    return pyplot.subplots(figsize=_PICTURE_INCHES, layout="constrained")[1]


def _draw_overview(ax: Axes, drawn: DrawnClasses) -> None:
    """Draw a row for each group, with the days beside each other."""
    groups, span = drawn.groups, drawn.last - drawn.first
    rows = groups.busiest(MOST_ROWS)
    ax.set_xlim(0, drawn.days * span)
    ax.set_ylim(max(1, len(rows)) - 0.5, -0.5)
    boxes = []
    clashes = 0
    for row, group in enumerate(rows.tolist()):
        classes = drawn.of(group)
        wrong = drawn.clashing(classes)
        clashes += len(wrong)
        for k, day in drawn.meetings(classes):
            left = day * span + int(drawn.placed.start[k]) - drawn.first
            size = (int(drawn.placed.end[k] - drawn.placed.start[k]), 0.86)
            boxes.append(((left, row - 0.43), size, k, k in wrong))
    _add_boxes(ax, drawn, boxes)
    _label_boxes(ax, drawn, boxes)
    ax.vlines(np.arange(1, drawn.days) * span, -0.5, max(1, len(rows)) - 0.5, _RULE, linewidth=1.5)
    height = ax.get_window_extent().height * 72 / ax.figure.dpi / max(1, len(rows))
    size = float(np.clip(height / _LINE, _LEAST_FONT, _LARGEST_FONT))
    names = [shortened(groups.names[row], 14) for row in rows]
    ax.set_yticks(range(len(rows)), labels=names, fontsize=size, parse_math=False)
    middles = (np.arange(drawn.days) + 0.5) * span
    ax.set_xticks(middles, labels=[day_name(day) for day in range(drawn.days)])
    few = f"the {len(rows)} busiest of " if len(rows) < len(groups.names) else ""
    about = f"{few}{len(groups.names):,} {PLURALS[groups.by]}"
    _finish(ax, drawn, about, clashes)


def _add_boxes(ax: Axes, drawn: DrawnClasses, boxes: list[Any]) -> None:
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    patches = [Rectangle(corner, *size) for corner, size, _, _ in boxes]
    colors = [course_color(drawn.color_of(k)) for _, _, k, _ in boxes]
    edges = [_CLASH if wrong else "white" for *_, wrong in boxes]
    widths = [1.5 if wrong else 0.5 for *_, wrong in boxes]
    ax.add_collection(
        PatchCollection(patches, facecolors=colors, edgecolors=edges, linewidths=widths)
    )


def _label_boxes(ax: Axes, drawn: DrawnClasses, boxes: list[Any]) -> None:
    """Write the classes into the boxes where that can be read and is quickly done."""
    if not 0 < len(boxes) <= _MOST_LABELS:
        return
    unit = _points(ax)
    for (left, top), (width, height), k, _ in boxes:
        name = drawn.solution.instance.classes[k].id
        fits = min(width * unit[0] / (len(name) * _LETTER), height * unit[1] / _LINE)
        if fits >= _LEAST_FONT:
            _write(ax, left + width / 2, top + height / 2, name, min(fits, _LARGEST_FONT))


def _draw_week(ax: Axes, drawn: DrawnClasses, chosen: int) -> None:
    """Draw the week of one group: a column for each day, times of day downwards."""
    ax.set_xlim(0, drawn.days)
    ax.set_ylim(drawn.last, drawn.first)
    classes = drawn.of(chosen)
    wrong = drawn.clashing(classes)
    boxes = []
    for day in range(drawn.days):
        there = [k for k, its_day in drawn.meetings(classes) if its_day == day]
        spans = [(int(drawn.placed.start[k]), int(drawn.placed.end[k])) for k in there]
        for k, (start, end), (lane, of) in zip(there, spans, lanes(spans), strict=True):
            corner = (day + 0.02 + 0.96 * lane / of, start)
            boxes.append((corner, (0.96 / of, end - start), k, k in wrong))
    hours = range(drawn.first, drawn.last + 1, drawn.per_hour)
    ax.hlines(hours, 0, drawn.days, colors=_RULE, linewidth=0.5, zorder=0)
    ax.vlines(range(1, drawn.days), drawn.first, drawn.last, colors=_RULE, linewidth=1.0, zorder=0)
    _add_boxes(ax, drawn, boxes)
    unit = _points(ax)
    for (left, top), (width, height), k, _ in boxes:
        lines = _lines(drawn, k)
        room_for = max(1, int(height * unit[1] / (_LEAST_FONT * _LINE)))
        lines = lines[:room_for]
        letters = max(1, int(width * unit[0] / (_LEAST_FONT * _LETTER)))
        lines = [shortened(line, min(letters, MOST_LETTERS)) for line in lines]
        size = min(
            width * unit[0] / (max(map(len, lines)) * _LETTER),
            height * unit[1] / (len(lines) * _LINE),
        )
        size = float(np.clip(size, _LEAST_FONT, _LARGEST_FONT))
        _write(ax, left + width / 2, top + height / 2, "\n".join(lines), size)
    slots = drawn.solution.instance.slots_per_day
    ax.set_yticks(hours, labels=[clock(hour, slots) for hour in hours], parse_math=False)
    ax.set_xticks(np.arange(drawn.days) + 0.5, labels=[day_name(day) for day in range(drawn.days)])
    ax.xaxis.tick_top()
    name = shortened(drawn.groups.names[chosen], 40)
    plural = "class" if len(classes) == 1 else "classes"
    about = f"{drawn.groups.by} {name}, {len(classes)} {plural}"
    _finish(ax, drawn, about, len(wrong))


def _lines(drawn: DrawnClasses, k: int) -> list[str]:
    """Return what a class is in a week: itself, its weeks, its room and its course."""
    one = drawn.solution.instance.classes[k]
    weeks = one.times[drawn.solution.times[k]].weeks
    told = [week_words(weeks)] if drawn.week is None or "0" in weeks else []
    return [one.id, *told, *drawn.where(k)]


def _points(ax: Axes) -> tuple[float, float]:
    """Return how many points a unit of each axis is wide and high."""
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    return box.width * points / abs(right - left), box.height * points / abs(top - bottom)


def _write(ax: Axes, x: float, y: float, text: str, size: float) -> None:
    ax.text(
        x,
        y,
        text,
        fontsize=size,
        color=_INK,
        ha="center",
        va="center",
        clip_on=True,
        parse_math=False,
    )


def _finish(ax: Axes, drawn: DrawnClasses, about: str, clashes: int) -> None:
    note = f", {clashes:,} classes clash" if clashes else ""
    title = f"{drawn.solution.instance.name}: {about}, {drawn.when}{note}"
    ax.set_title(title, parse_math=False)
    ax.set_facecolor(_EMPTY)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
