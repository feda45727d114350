"""Timetables drawn with matplotlib."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...needing import needing
from ...views.course_color import course_color
from ...views.fonts import use_fonts_that_have_all
from .lecture_groups import (
    PLURALS,
    By,
    LectureGroups,
    day_names,
    group_lectures,
    lecture_words,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..model.solution import Solution

MOST_ROWS = 50
"""Most rooms, curricula or teachers in one picture of them all."""

MOST_CARDS = 4
"""Most lectures that are drawn side by side in one period of a week."""

_MOST_LABELS = 400
# Points: text below the least size cannot be read.
_LEAST_FONT, _LARGEST_FONT = 5.0, 10.0
# Width of a letter and height of a line, in font sizes.
_LETTER, _LINE = 0.62, 1.35
_EMPTY, _CLASH, _RULE, _INK = "#f4f5f8", "#d7263d", "#ffffff", "#1b2130"
_PICTURE_INCHES = (11.0, 7.0)


def plot(
    solution: Solution, by: By = "room", which: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a timetable; see `Solution.plot`."""
    groups = group_lectures(solution, by)
    chosen = None if which is None else groups.position(which)
    axes = _new_axes() if ax is None else ax
    if chosen is None:
        _draw_overview(axes, solution, groups)
    else:
        _draw_week(axes, solution, groups, chosen)
    use_fonts_that_have_all(axes)
    return axes


def _new_axes() -> Axes:
    with needing("drawing a timetable", "plot"):
        from matplotlib import pyplot
    return pyplot.subplots(figsize=_PICTURE_INCHES, layout="constrained")[1]


def _draw_overview(ax: Axes, solution: Solution, groups: LectureGroups) -> None:
    """Draw a row for each group and a column for each period."""
    instance = solution.instance
    rows = groups.busiest(MOST_ROWS)
    image, first, counts = _cells(solution, groups, rows)
    if len(rows):
        ax.imshow(image, aspect="auto", interpolation="nearest")
    _rule(ax, len(rows), instance.n_periods, instance.periods_per_day)
    width, height = _cell_points(ax, instance.n_periods, len(rows))
    names = [shortened(groups.names[row], 14) for row in rows]
    size = float(np.clip(height / _LINE, _LEAST_FONT, _LARGEST_FONT))
    ax.set_yticks(range(len(rows)), labels=names, fontsize=size, parse_math=False)
    _label_cells(ax, solution, first, counts, (width, height))
    few = f"the {len(rows)} busiest of " if len(rows) < len(groups.names) else ""
    title = f"{instance.name}: {few}{len(groups.names):,} {PLURALS[groups.by]}"
    _finish(ax, title, _clash_note(int(np.sum(counts > 1))))
    middles = (np.arange(instance.days) + 0.5) * instance.periods_per_day - 0.5
    ax.set_xticks(middles, labels=day_names(instance.days))


def _cells(
    solution: Solution, groups: LectureGroups, rows: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return color, a course (-1 for none) and the number of lectures of each group and period."""
    from matplotlib.colors import to_rgb

    shape = (len(rows), solution.instance.n_periods)
    row_of = np.full(len(groups.names), -1)
    row_of[rows] = np.arange(len(rows))
    shown = row_of[groups.groups] >= 0
    where = (row_of[groups.groups[shown]], solution.periods[groups.lectures[shown]])
    courses = solution.courses[groups.lectures[shown]]
    course, counts = np.full(shape, -1), np.zeros(shape, np.int64)
    course[where] = courses
    np.add.at(counts, where, 1)
    image = np.empty((*shape, 3))
    image[:] = to_rgb(_EMPTY)
    image[where] = _colors(courses)
    image[counts > 1] = to_rgb(_CLASH)
    return image, course, counts


def _label_cells(
    ax: Axes,
    solution: Solution,
    courses: NDArray[np.int64],
    counts: NDArray[np.int64],
    cell: tuple[float, float],
) -> None:
    """Write the courses into the cells where that can be read and is quickly done."""
    taken = np.argwhere(counts)
    if not 0 < len(taken) <= _MOST_LABELS:
        return
    names = [
        str(counts[row, period])
        if counts[row, period] > 1
        else solution.instance.courses[courses[row, period]].id
        for row, period in taken
    ]
    longest = max(map(len, names))
    size = min(0.9 * cell[0] / (longest * _LETTER), cell[1] / _LINE, _LARGEST_FONT)
    if size < _LEAST_FONT:
        return
    for (row, period), name in zip(taken, names, strict=True):
        color = "white" if counts[row, period] > 1 else _INK
        ax.text(
            period,
            row,
            name,
            fontsize=size,
            color=color,
            ha="center",
            va="center",
            parse_math=False,
        )


def _draw_week(ax: Axes, solution: Solution, groups: LectureGroups, chosen: int) -> None:
    """Draw the week of one group: a column for each day, a row for each timeslot."""
    instance = solution.instance
    days, slots = instance.days, instance.periods_per_day
    lectures = groups.of(chosen)
    ax.imshow(np.ones((slots, days, 3)), aspect="auto")
    ax.set_facecolor(_EMPTY)
    _rule(ax, slots, days, 1, color="#c9cede")
    cell = _cell_points(ax, days, slots)
    periods = solution.periods[lectures]
    clashes = 0
    for period in np.unique(periods):
        together = lectures[periods == period]
        clashes += len(together) > 1
        day, slot = divmod(int(period), slots)
        _draw_cards(ax, solution, groups.by, together, (day, slot), cell)
    size = float(np.clip(cell[1] / _LINE, _LEAST_FONT, _LARGEST_FONT))
    # Of timeslots that are too low for a line each, every second or third has its number.
    numbered = range(0, slots, ceil(size * _LINE / max(cell[1], 1.0)))
    ax.set_yticks(numbered, labels=[str(slot) for slot in numbered], fontsize=size)
    ax.set_xticks(range(days), labels=day_names(days))
    name = shortened(groups.names[chosen], 40)
    title = f"{instance.name}: {groups.by} {name}, {len(lectures)} lectures"
    _finish(ax, title, _clash_note(clashes))


def _draw_cards(
    ax: Axes,
    solution: Solution,
    by: By,
    together: NDArray[np.int64],
    place: tuple[int, int],
    cell: tuple[float, float],
) -> None:
    """Draw the lectures of one period of a week beside each other."""
    from matplotlib.patches import Rectangle

    shown = together[: MOST_CARDS if len(together) <= MOST_CARDS else MOST_CARDS - 1]
    parts = min(len(together), MOST_CARDS)
    width = 0.94 / parts
    words = [lecture_words(solution, by, int(lecture)) for lecture in shown]
    texts = ["\n".join(shortened(line, 18) for line in lines) for lines in words]
    colors = [*_colors(solution.courses[shown])]
    if len(shown) < len(together):
        texts.append(f"and {len(together) - len(shown)}\nmore")
        colors.append(np.ones(3))
    for part, (text, color) in enumerate(zip(texts, colors, strict=True)):
        left, top = place[0] - 0.47 + part * width, place[1] - 0.44
        edge = _CLASH if len(together) > 1 else color * 0.75
        ax.add_patch(Rectangle((left, top), width * 0.97, 0.88, facecolor=color, edgecolor=edge))
        lines = text.split("\n")
        if cell[1] * 0.88 < len(lines) * _LINE * _LEAST_FONT:
            # Too low for lines that can be read, but for one with what there is room for.
            text = shortened(
                ", ".join(lines), max(1, int(cell[0] * width / (_LEAST_FONT * _LETTER)))
            )
            lines = [text]
        longest = max(map(len, lines))
        fits = min(cell[0] * width / (longest * _LETTER), cell[1] * 0.88 / (len(lines) * _LINE))
        ax.text(
            left + width / 2,
            place[1],
            text,
            ha="center",
            va="center",
            fontsize=float(np.clip(fits, _LEAST_FONT, _LARGEST_FONT)),
            color=_INK,
            clip_on=True,
            parse_math=False,
        )


def _colors(courses: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the color of each course, shape (n, 3)."""
    from matplotlib.colors import to_rgb

    distinct, inverse = np.unique(courses, return_inverse=True)
    colors = np.array([to_rgb(course_color(int(course))) for course in distinct])
    return colors.reshape(-1, 3)[inverse]


def _rule(ax: Axes, rows: int, columns: int, per_day: int, color: str = _RULE) -> None:
    """Part the rows by thin lines and the days by thick ones."""
    ax.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, colors=color, linewidth=0.5)
    ax.vlines(np.arange(per_day, columns, per_day) - 0.5, -0.5, rows - 0.5, color, linewidth=2.0)


def _cell_points(ax: Axes, columns: int, rows: int) -> tuple[float, float]:
    """Return the width and the height of a cell in points."""
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    return box.width * points / max(1, columns), box.height * points / max(1, rows)


def _clash_note(clashes: int) -> str:
    return f", {clashes:,} clashes" if clashes else ""


def _finish(ax: Axes, title: str, note: str) -> None:
    ax.set_title(title + note, parse_math=False)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
