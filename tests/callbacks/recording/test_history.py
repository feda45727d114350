"""What a history keeps of a long run."""

import sys
from itertools import pairwise

import pytest
from schoolbell.callbacks import History
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Steps(Stage):
    metrics = ("square",)

    def __init__(self, name="a", steps=3):
        self.name, self.steps = name, steps

    def run(self, state, budget):
        for step in range(self.steps):
            state.offer(step, -step, 0)
            yield Batch(step + 1, self.steps, {"square": step * step})


def test_a_short_run_is_kept_whole():
    history = Pipeline([Steps("a", 3), Steps("b", 2)]).fit(verbose=False).history
    assert history["stage"] == ["a", "a", "a", "b", "b"]
    assert history["batch"] == [0, 1, 2, 0, 1]
    assert history["square"] == [0, 1, 4, 0, 1]
    assert history.history["cost"] == history["cost"] == [0, -1, -2, -2, -2]
    assert len(history) == 5
    assert [row["cost"] for row in history.solutions] == [0, -1, -2]


@pytest.mark.parametrize("steps", [16, 17, 31, 32, 33, 1000, 4097])
def test_a_long_run_is_thinned_evenly_and_keeps_its_last_batch(steps):
    # As a callback of the user's, and as the run's own, which is asked only when it is due.
    given = History(rows_per_stage=16)
    own = Pipeline([Steps(steps=steps)]).fit(callbacks=[given], verbose=False).history
    assert own["batch"][-1] == given["batch"][-1] == steps - 1
    kept = given["batch"]
    assert len(kept) <= 17
    strides = {later - before for before, later in pairwise(kept[:-1])}
    assert len(strides) == 1
    assert len(kept) >= 8
    assert len(given.solutions) <= 16


def test_memory_stays_bounded_in_every_stage():
    stages = [Steps("a", 5000), Steps("b", 5000)]
    history = Pipeline(stages).fit(verbose=False).history
    for name in "ab":
        assert 500 < history["stage"].count(name) <= 1025
    assert len(history.solutions) <= 1024


def test_a_column_that_is_not_there_is_named():
    history = Pipeline([Steps()]).fit(verbose=False).history
    with pytest.raises(KeyError, match="no column 'speed'; there are batch, stage"):
        history["speed"]


def test_an_interrupted_stage_keeps_its_last_batch_too():
    class Interrupted(Steps):
        def run(self, state, budget):
            for step in range(3000):
                yield Batch(step + 1)
            raise KeyboardInterrupt

    run = Pipeline([Interrupted()]).fit(verbose=False)
    assert run.history["done"][-1] == 3000


def test_at_least_two_rows_must_be_kept():
    with pytest.raises(ValueError, match="2 or more"):
        History(rows_per_stage=1)


def test_a_table_has_a_row_for_each_batch_and_a_column_for_each_value():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = Pipeline([Steps("a", 3), Steps("b", 2)]).fit(verbose=False).history.to_frame()
    assert isinstance(table, pandas.DataFrame)
    assert table["stage"].tolist() == ["a", "a", "a", "b", "b"]
    assert table["cost"].tolist() == [0, -1, -2, -2, -2]


def test_without_pandas_the_error_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        History().to_frame()


def recorded(*rows):
    history = History()
    for batch, (stage, elapsed, cost, violations) in enumerate(rows):
        logs = {"stage": stage, "elapsed": elapsed, "cost": cost, "violations": violations}
        history.on_batch_end(batch, logs)
    return history


def test_a_stage_spans_the_time_since_the_one_before_it():
    history = recorded(("a", 1.0, None, None), ("a", 2.0, 9, 0), ("b", 5.0, 7, 0))
    assert history.stage_spans() == [("a", 0.0, 2.0), ("b", 2.0, 5.0)]


def test_the_plot_shows_the_cost_by_seconds_and_dots_it_while_there_are_violations():
    figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    rows = [("a", 1.0, 9, 2), ("a", 2.0, 12, 0), ("a", 5.0, 7, 0), ("b", 6.0, 7, 0)]
    ax = figure.Figure().subplots()
    assert recorded(*rows).plot(ax=ax) is ax
    dotted, solid = ax.lines
    assert (dotted.get_linestyle(), solid.get_linestyle()) == (":", "-")
    assert dotted.get_xydata().tolist() == [[1, 9], [2, 12]]
    assert solid.get_xydata().tolist() == [[2, 12], [5, 7], [6, 7]]
    assert [text.get_text() for text in ax.texts] == ["a", "b"]


def test_the_plot_names_all_stages_and_leaves_out_a_long_wait():
    figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    rows = [("load", 31.0, None, None), ("cp_sat", 31.1, None, None), ("clusters", 31.2, 9, 0)]
    ax = recorded(*rows, ("ga", 40.0, 7, 0), ("rl", 40.1, 7, 0)).plot(ax=figure.Figure().subplots())
    assert 25 < ax.get_xlim()[0] < 31.2
    shown = [text.get_text() for text in ax.texts]
    assert shown == ["load", "cp_sat", "clusters", "ga", "rl"]
    places = [text.get_position()[0] for text in ax.texts]
    assert places == sorted(places)


@pytest.mark.parametrize("rows", [[], [("a", 1.0, None, None)]])
def test_a_history_without_solutions_can_be_drawn_too(rows):
    figure = pytest.importorskip("matplotlib.figure", reason="matplotlib is not installed")
    assert not recorded(*rows).plot(ax=figure.Figure().subplots()).lines


def test_a_history_is_drawn_without_axes_on_a_new_figure():
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="matplotlib is not installed")
    pyplot.switch_backend("agg")
    ax = recorded(("a", 1.0, 9, 0)).plot()
    assert ax.get_ylabel() == "cost"
    pyplot.close(ax.figure)


def test_without_matplotlib_the_error_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'schoolbell\[plot\]'"):
        History().plot()
