"""Pictures with names in any script."""

import io
import warnings
from pathlib import Path

import pytest

figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")

from schoolbell.callbacks import History  # noqa: E402
from schoolbell.stages.timetable import Course, Instance, Room, Solution  # noqa: E402

# Printable characters that hardly any font has: Vithkuqi, of Unicode 14.
NOBODYS = "\U00010570\U00010571\U00010572"


def draw_history(name, axes):
    history = History()
    history.on_stage_begin(name)
    for seconds, cost in ((1.0, 9), (9.0, 3)):
        history.on_batch_end(0, {"stage": name, "elapsed": seconds, "cost": cost})
    history.on_pipeline_end()
    history.plot(ax=axes)


def draw_timetable(name, axes):
    instance = Instance("small", 1, 2, (Course(name, name, 1, 1, 1),), (Room(name, 9),))
    Solution.of_lectures(instance, [0], [0]).plot(ax=axes)


@pytest.fixture(params=[draw_history, draw_timetable])
def warned(request):
    """Draws a picture with a name and returns its axes and the warnings, drawing included."""

    def draw(name):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            drawing = figure.Figure(layout="constrained")
            axes = drawing.subplots()
            request.param(name, axes)
            drawing.savefig(io.BytesIO())
        return axes, [str(one.message) for one in caught]

    return draw


def texts(axes):
    return "".join(one.get_text() for one in [*axes.texts, *axes.get_yticklabels()])


@pytest.mark.parametrize("name", ["代数学", "위상수학", "λόγος", "Алгебра"])
def test_a_name_is_drawn_in_a_font_that_has_it_without_a_warning(warned, name):
    from matplotlib.font_manager import fontManager, get_font

    if not any(
        set(map(ord, name)) <= set(get_font(one.fname).get_charmap())
        for one in fontManager.ttflist
        if "Last Resort" not in one.name and Path(one.fname).exists()
    ):
        pytest.skip(f"no font of this machine has {name!r}")
    axes, messages = warned(name)
    assert name in texts(axes)
    assert messages == []


def test_what_no_font_has_is_a_box_and_one_warning(warned, monkeypatch):
    from matplotlib.font_manager import fontManager

    own = [one for one in fontManager.ttflist if one.name == "DejaVu Sans"]
    monkeypatch.setattr(fontManager, "ttflist", own)
    axes, messages = warned(NOBODYS)
    assert "□□□" in texts(axes)
    assert len(messages) == 1
    assert "install one" in messages[0]
