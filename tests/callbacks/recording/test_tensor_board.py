"""Event files, as TensorBoard itself reads them."""

import json
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from pathlib import Path

import numpy as np
import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, TensorBoard
from schoolbell.callbacks.recording import tensor_board_feed
from schoolbell.callbacks.recording.event_file import EventFile, keep_events
from schoolbell.callbacks.recording.tensor_board_feed import TensorBoardFeed
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable import Solution, generate

from ...late import Late
from ..saving.test_backup_and_restore import DieAfter, Walk, stages

event_accumulator = Late("tensorboard.backend.event_processing.event_accumulator")


class Drawn:
    """A solution that can draw itself."""

    def __init__(self, name):
        self.name = name

    def plot(self, ax):
        ax.set_title(self.name)


class Search(Stage):
    unit, metrics = "round", ("speed", "note")

    def __init__(self, name="search", rounds=3, solutions=True, ending=None):
        self.name, self.rounds, self.solutions, self.ending = name, rounds, solutions, ending

    def run(self, state, budget):
        for step in range(self.rounds):
            if self.solutions:
                state.offer(Drawn(f"best {step}"), 1000 - state.version, 2)
            yield Batch(step + 1, self.rounds, {"speed": np.float32(step / 2), "note": "up"})
        if self.ending is not None:
            raise self.ending


def read(folder: Path):
    keep_all = dict.fromkeys(("scalars", "images", "tensors"), 0)
    accumulator = event_accumulator.EventAccumulator(str(folder), size_guidance=keep_all)
    return accumulator.Reload()


def points(folder, tag):
    return [(event.step, event.value) for event in read(folder).Scalars(tag)]


def fit(folder, *stages, **options):
    return Pipeline(stages).fit(callbacks=TensorBoard(folder), verbose=False, **options)


def test_every_metric_of_a_stage_is_a_scalar(tmp_path):
    fit(tmp_path, Search("first"), Search("second", 2))
    assert points(tmp_path, "first/speed") == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert points(tmp_path, "second/speed") == [(0, 0.0), (1, 0.5)]
    assert "first/note" not in read(tmp_path).Tags()["scalars"]


def test_the_whole_run_is_counted_in_batches_of_all_stages(tmp_path):
    fit(tmp_path, Search("first"), Search("second", 2))
    assert points(tmp_path, "run/cost") == [(1, 1000), (2, 999), (3, 998), (4, 997), (5, 996)]
    assert points(tmp_path, "run/violations")[-1] == (5, 2)
    steps, progress = zip(*points(tmp_path, "run/progress"), strict=True)
    assert sorted(progress) == list(progress)
    assert sorted(steps) == list(steps)
    assert (steps[-1], progress[-1]) == (5, 1.0)


def hyperparameters(folder, part):
    """What TensorBoard's plugin for hyperparameters finds: None where there is no such part."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    found = read(folder).summary_metadata.get(f"_hparams_/{part}")
    if found is None:
        return None
    return getattr(HParamsPluginData.FromString(found.plugin_data.content), part)


def test_hyperparameters_come_with_the_final_cost(tmp_path):
    fit(tmp_path, Search(rounds=4), seed=7, time_limit=9)
    values = hyperparameters(tmp_path, "session_start_info").hparams
    assert values["seed"].number_value == 7
    assert values["search__rounds"].number_value == 4
    assert values["search__solutions"].bool_value is True
    assert values["search__name"].string_value == "search"
    metrics = hyperparameters(tmp_path, "experiment").metric_infos
    assert {one.name.tag for one in metrics} == {"final/cost", "final/violations", "final/seconds"}
    assert hyperparameters(tmp_path, "session_end_info") is not None
    assert points(tmp_path, "final/cost") == [(4, 997)]
    assert points(tmp_path, "final/violations") == [(4, 2)]


def test_a_run_without_violations_has_no_column_of_them(tmp_path):
    class Free(Stage):
        name = "free"

        def run(self, state, budget):
            for done in (1, 2):
                state.offer([done], 9 - done)
                yield Batch(done, 2)

    fit(tmp_path, Free())
    metrics = hyperparameters(tmp_path, "experiment").metric_infos
    assert {one.name.tag for one in metrics} == {"final/cost", "final/seconds"}


def test_the_summary_tells_how_the_run_and_its_stages_went(tmp_path):
    run = fit(tmp_path, Search(rounds=1500), job_id="monday")
    texts = read(tmp_path).Tensors("summary/text_summary")
    text = texts[-1].tensor_proto.string_val[0].decode()
    assert text.startswith("Run monday: **finished with 2 violations left** in ")
    assert "cost -499, violations 2" in text
    assert "| search | 1,500 |" in text
    assert run.cost == -499


def test_a_failed_run_is_told_with_its_reason(tmp_path):
    with pytest.raises(ZeroDivisionError):
        fit(tmp_path, Search(ending=ZeroDivisionError("no luck")))
    text = read(tmp_path).Tensors("summary/text_summary")[-1].tensor_proto.string_val[0].decode()
    assert "**failed: ZeroDivisionError: no luck**" in text
    assert points(tmp_path, "search/speed")[-1] == (2, 1.0)
    assert hyperparameters(tmp_path, "session_end_info") is None


def test_the_last_best_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    fit(tmp_path, Search(rounds=400))
    pictures = read(tmp_path).Images("timetable")
    assert pictures[-1].step == 399
    # Not each of the 400: at most the first and the last of so short a run.
    assert len(pictures) <= 2
    png = pictures[-1].encoded_image_string
    assert png.startswith(b"\x89PNG")
    size = tuple(int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert size == (pictures[-1].width, pictures[-1].height)


def test_a_timetable_is_drawn_by_its_own_method(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    instance = generate(8)
    lectures = np.arange(sum(course.lectures for course in instance.courses))
    timetable = Solution.of_lectures(instance, lectures % instance.n_periods, 0 * lectures)

    class Draft(Search):
        def run(self, state, budget):
            state.offer(timetable, 1, 9)
            yield Batch(1, 1)

    fit(tmp_path, Draft())
    assert len(read(tmp_path).Images("timetable")) == 1


@pytest.mark.parametrize("solution", [object(), "text"])
def test_solutions_that_cannot_draw_themselves_are_left_out(tmp_path, solution):
    class Plain(Search):
        def run(self, state, budget):
            state.offer(solution, 1, 0)
            yield Batch(1, 1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(tmp_path, Plain())
    assert not read(tmp_path).Tags()["images"]


def test_a_picture_that_fails_is_warned_of_once_and_the_run_goes_on(tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")

    class Broken(Search):
        def run(self, state, budget):
            for step in range(5):
                state.offer(Drawn(step), 9 - step, 0)
                state.solution.plot = lambda ax: 1 / 0
                yield Batch(step + 1, 5)

    with pytest.warns(RuntimeWarning, match="no pictures in TensorBoard: ZeroDivision") as caught:
        run = fit(tmp_path, Broken())
    assert run.status == "finished"
    assert len(caught) == 1
    assert points(tmp_path, "final/cost") == [(5, 5)]


def test_of_many_batches_ever_fewer_are_written_and_always_the_last(tmp_path):
    batches = 200_000
    fit(tmp_path, Search(rounds=batches, solutions=False))
    steps = [step for step, _ in points(tmp_path, "search/speed")]
    assert steps[:512] == list(range(512))
    assert steps[-1] == batches - 1
    assert 2_000 < len(steps) < 5_000
    gaps = np.diff(steps[:-1])
    assert (np.diff(gaps) >= 0).all()
    assert gaps[-1] <= batches / 512


def test_a_new_run_in_the_same_folder_takes_the_place_of_the_older_one(tmp_path):
    board = TensorBoard(tmp_path)
    Pipeline([Search(rounds=9)]).fit(callbacks=board, verbose=False)
    Pipeline([Search(rounds=2)]).fit(callbacks=board, verbose=False)
    assert points(tmp_path, "search/speed") == [(0, 0.0), (1, 0.5)]


def test_a_folder_that_cannot_be_made_ends_the_run_at_its_beginning(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="TensorBoard failed in check") as caught:
        fit(tmp_path / "file" / "logs", Search())
    assert isinstance(caught.value.__cause__, OSError)


def test_an_impossible_interval_is_refused():
    with pytest.raises(ValueError, match="image_interval"):
        TensorBoard(image_interval=0)


def test_without_tensorboardx_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'schoolbell\[tensorboard\]'"):
        TensorBoard()


class FullDisk:
    """Lets no file of this process grow beyond a size, as a full disk would."""

    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.limits[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.limits)


def test_no_record_is_torn_by_a_disk_that_is_full_for_a_while(tmp_path):
    file = EventFile(tmp_path)

    def add(steps):
        for step in steps:
            file.add(step=step, summary={"value": [{"tag": "a", "simple_value": step}]})

    add(range(1000))
    with FullDisk(20_011), pytest.raises(OSError, match="too large"):
        file.flush()
    assert file.pending
    # What the disk holds by now can be read: the torn record is taken back.
    assert 19_900 < next(tmp_path.iterdir()).stat().st_size < 20_011
    whole = points(tmp_path, "a")
    assert whole == [(step, step) for step in range(len(whole))]
    add(range(1000, 1010))
    file.flush()
    file.close()
    assert points(tmp_path, "a") == [(step, step) for step in range(1010)]


def test_a_full_disk_is_warned_of_once_and_ends_neither_run_nor_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("schoolbell.callbacks.recording.tensor_board_feed._FLUSH_SECONDS", 0.01)
    board = TensorBoard(tmp_path, image_interval=float("inf"))

    class Long(Search):
        def run(self, state, budget):
            for step in range(300):
                time.sleep(0.001)
                yield Batch(step + 1, 300, {"speed": step})

    # Warnings go to the test's own record, which is no file.
    with FullDisk(2_000), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = Pipeline([Long()]).fit(callbacks=board, verbose=False)
    assert run.status == "finished"
    messages = [str(one.message) for one in caught]
    assert len(messages) == 2
    assert "File too large" in messages[0]
    assert "the last of the run could not be written" in messages[1]
    assert 0 < len(points(tmp_path, "search/speed")) < 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(address, patience=60.0):
    """What the server answers with, once it is up and has found the run."""
    give_up = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                found = json.load(answer)
        except OSError:
            found = None
        if found or time.monotonic() > give_up:
            return found
        time.sleep(0.1)


def test_tensorboard_itself_serves_the_scalars(tmp_path):
    fit(tmp_path / "one", Search())
    port = free_port()
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(tmp_path)]
    command += ["--port", str(port), "--load_fast=false"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **quiet) as server:
        try:
            base = f"http://127.0.0.1:{port}/data/plugin/scalars"
            tags = fetch(f"{base}/tags")
            assert {"search/speed", "run/progress", "final/cost"} <= set(tags["one"])
            scalars = fetch(f"{base}/scalars?run=one&tag=search%2Fspeed")
        finally:
            server.terminate()
    assert [(step, value) for _, step, value in scalars] == [(0, 0.0), (1, 0.5), (2, 1.0)]


def scalars(folder):
    """All scalars but those of the clock, and the texts' steps."""
    events = read(folder)
    tags = set(events.Tags()["scalars"]) - {"run/progress", "final/seconds"}
    return {tag: points(folder, tag) for tag in sorted(tags)}


def texts(folder):
    found = read(folder).Tensors("summary/text_summary")
    return [(one.step, one.tensor_proto.string_val[0].decode().split()[0]) for one in found]


def resumable(folder, board, callbacks=(), **options):
    watchers = [TensorBoard(board), BackupAndRestore(folder, save_freq=1, interval=None)]
    return Pipeline(stages()).fit(
        callbacks=[*watchers, *callbacks], seed=3, verbose=False, **options
    )


def resumed_after(batches, folder, board, **options):
    with pytest.raises(Exception, match="DieAfter"):
        resumable(folder, board, [DieAfter(batches)], **options)
    return resumable(folder, board, **options)


@pytest.mark.parametrize("batches", [1, 3, 4, 5, 7, 8, 11])
def test_a_resumed_run_goes_on_on_the_axes_of_one_that_was_never_lost(tmp_path, batches):
    Pipeline(stages()).fit(callbacks=TensorBoard(tmp_path / "whole"), seed=3, verbose=False)
    resumed_after(batches, tmp_path / "backup", tmp_path / "board")
    assert scalars(tmp_path / "board") == scalars(tmp_path / "whole")
    assert texts(tmp_path / "board") == texts(tmp_path / "whole")
    progress = [value for _, value in points(tmp_path / "board", "run/progress")]
    assert progress == sorted(progress)
    assert progress[-1] == 1


def test_a_disk_that_fails_as_a_run_is_taken_up_loses_nothing(tmp_path, monkeypatch):
    Pipeline(stages()).fit(callbacks=TensorBoard(tmp_path / "whole"), seed=3, verbose=False)
    failed = []

    def keep(path, wanted):
        if not failed:
            failed.append(path)
            raise OSError(28, "No space left on device")
        return keep_events(path, wanted)

    with monkeypatch.context() as slow:
        # A kill comes before the first row is written.
        slow.setattr(TensorBoardFeed, "_deliver", lambda feed: feed._file.flush())
        with pytest.raises(Exception, match="DieAfter"):
            resumable(tmp_path / "backup", tmp_path / "board", [DieAfter(6)])
    monkeypatch.setattr(tensor_board_feed, "keep_events", keep)
    monkeypatch.setattr(TensorBoardFeed, "last_seconds", 60.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        resumable(tmp_path / "backup", tmp_path / "board")
    assert failed
    assert scalars(tmp_path / "board") == scalars(tmp_path / "whole")


def test_a_resumed_run_is_thinned_as_one_that_was_never_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("schoolbell.callbacks.background.thinning.DENSE_ROWS", 2)

    def make():
        return [Walk("one", 40), Walk("two", 20)]

    monkeypatch.setitem(globals(), "stages", make)
    Pipeline(make()).fit(callbacks=TensorBoard(tmp_path / "whole"), seed=3, verbose=False)
    resumed_after(33, tmp_path / "backup", tmp_path / "board")
    assert scalars(tmp_path / "board") == scalars(tmp_path / "whole")


def test_a_resumed_run_whose_files_are_gone_says_anew_what_it_is(tmp_path):
    board = tmp_path / "board"

    class Remove(Callback):
        def on_exception(self, exception):
            shutil.rmtree(board)
            board.mkdir()

    watchers = [Remove(), BackupAndRestore(tmp_path / "backup", save_freq=1, interval=None)]
    with pytest.raises(Exception, match="DieAfter"):
        Pipeline(stages()).fit(
            callbacks=[TensorBoard(board), *watchers, DieAfter(5)], seed=3, verbose=False
        )
    Pipeline(stages()).fit(callbacks=[TensorBoard(board), watchers[1]], seed=3, verbose=False)
    assert "_hparams_/session_start_info" in read(board).summary_metadata
    assert points(board, "run/cost")[-1][0] == 12


def test_infinite_parameters_are_shown_as_such_without_a_word(tmp_path, caplog, capsys):
    class Patient(Search):
        def __init__(self, patience):
            super().__init__()
            self.patience = patience

    fit(tmp_path, Patient(float("inf")))
    assert caplog.text == ""
    assert capsys.readouterr().err == ""
    metadata = read(tmp_path).SummaryMetadata("_hparams_/session_start_info")
    assert b"inf" in metadata.plugin_data.content


@pytest.mark.parametrize("cost", [float("inf"), 1e300])
def test_a_cost_that_tensorboard_cannot_hold_is_shown_as_infinite_without_a_word(
    tmp_path, caplog, cost
):
    class Endless(Stage):
        def run(self, state, budget):
            state.offer("found", cost, 0)
            yield Batch(1, 1)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(tmp_path, Endless())
    assert points(tmp_path, "final/cost") == [(1, float("inf"))]
    assert caplog.text == ""
