"""The CSV log of a run, also when the process is killed or the disk is full."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pandas as pd
import pytest
from schoolbell.callbacks import BackupAndRestore, CallbackError, CSVLogger, LambdaCallback
from schoolbell.callbacks.background import pending_file
from schoolbell.callbacks.recording import csv_feed
from schoolbell.runner import Pipeline, replay
from schoolbell.stages import Batch, Stage

from ..saving.test_backup_and_restore import DieAfter, Walk, stages
from ..saving.test_backup_and_restore import fit as resumed_fit

CORE = ["stage", "batch", "unit", "done", "total", "progress", "elapsed", "cost", "violations"]


class Growth(Stage):
    unit = "year, about"

    def __init__(self, name="growth", metrics=("mean",), steps=3):
        self.name, self.metrics, self.steps = name, metrics, steps

    def run(self, state, budget):
        for step in range(self.steps):
            if step:
                state.offer(step, 10.5 - step, 0)
            yield Batch(step + 1, self.steps, dict.fromkeys(self.metrics or (), step / 3))


def fit(path, *stages, **options):
    Pipeline(stages or [Growth()]).fit(callbacks=CSVLogger(path, **options), verbose=False)
    return path


def test_pandas_reads_the_log_with_one_call(tmp_path):
    path = fit(tmp_path / "new" / "log.csv", Growth("a", ("mean",)), Growth("b", ("mean", "best")))
    frame = pd.read_csv(path)
    assert list(frame.columns) == [*CORE, "mean", "best"]
    assert frame["stage"].tolist() == ["a"] * 3 + ["b"] * 3
    assert frame["unit"].unique().tolist() == ["year, about"]
    assert frame["batch"].tolist() == [0, 1, 2] * 2
    assert frame["progress"].tolist() == pytest.approx([1 / 6, 2 / 6, 0.5, 4 / 6, 5 / 6, 1])
    assert frame["elapsed"].is_monotonic_increasing
    assert frame["cost"].tolist()[1:] == [9.5, 8.5, 8.5, 8.5, 8.5]
    assert frame["cost"].isna().tolist() == [True] + [False] * 5
    assert frame["mean"].tolist() == pytest.approx([0, 1 / 3, 2 / 3] * 2)
    assert frame["best"].isna().tolist() == [True] * 3 + [False] * 3


def test_another_separator_separates(tmp_path):
    path = fit(tmp_path / "log.csv", separator=";")
    assert list(pd.read_csv(path, sep=";").columns) == [*CORE, "mean"]


@pytest.mark.parametrize("separator", ["", ",,", '"', "\n", ".", "e", "7"])
def test_an_impossible_separator_is_refused(separator):
    with pytest.raises(ValueError, match="separator must be one character"):
        CSVLogger("log.csv", separator=separator)


def test_a_new_run_overwrites_the_log(tmp_path):
    path = fit(fit(tmp_path / "log.csv"), Growth(steps=1))
    assert len(pd.read_csv(path)) == 1


def test_appending_goes_on_without_a_second_header(tmp_path):
    path = tmp_path / "log.csv"
    path.touch()
    for _ in range(2):
        fit(path, append=True)
    assert pd.read_csv(path)["batch"].tolist() == [0, 1, 2] * 2


def test_appending_to_other_columns_says_which(tmp_path):
    path = fit(tmp_path / "log.csv")
    before = path.read_text()
    with pytest.raises(CallbackError, match=r"its columns are stage, .*mean, this run's .*speed"):
        fit(path, Growth(metrics=("speed",)), append=True)
    assert path.read_text() == before


def test_appending_to_what_is_no_csv_file_says_so(tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(CallbackError, match="it is no CSV file"):
        fit(path, append=True)


@pytest.mark.parametrize(("torn", "rows"), [("growth,1,yea", 5), ("", 6)])
def test_appending_after_a_torn_row_keeps_all_whole_ones(tmp_path, torn, rows):
    path = fit(tmp_path / "log.csv")
    whole = path.read_text().removesuffix("\n")
    if torn:
        whole = whole[: whole.rindex("\n") + 1] + torn
    path.write_text(whole)
    fit(path, append=True)
    frame = pd.read_csv(path)
    assert len(frame) == rows
    assert frame["batch"].tolist()[-3:] == [0, 1, 2]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_appending_goes_on_in_a_file_that_a_spreadsheet_has_saved(tmp_path, ends):
    path = fit(tmp_path / "log.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_text().replace("\n", ends).encode())
    fit(path, append=True)
    frame = pd.read_csv(path)
    assert list(frame.columns) == [*CORE, "mean"]
    assert frame["batch"].tolist() == [0, 1, 2] * 2
    assert replay(path).history["batch"] == [0, 1, 2]


class Undeclared(Growth):
    """Reports metrics that it does not declare."""

    def __init__(self, name, **metrics):
        super().__init__(name, None)
        self.reported = metrics

    def run(self, state, budget):
        for batch in super().run(state, budget):
            batch.logs = self.reported
            yield batch


def test_metrics_that_come_later_get_columns_and_no_value_is_lost(tmp_path):
    stages = [Undeclared("a", one=1, text="x\n,y"), Undeclared("b", two=2), Undeclared("c", one=3)]
    path = fit(tmp_path / "log.csv", *stages)
    frame = pd.read_csv(path)
    assert list(frame.columns) == [*CORE, "one", "text", "two"]
    assert frame["one"].tolist()[:3] + frame["one"].tolist()[6:] == [1] * 3 + [3] * 3
    assert frame["text"].tolist()[:3] == ["x\n,y"] * 3
    assert frame["two"].tolist()[3:6] == [2] * 3
    assert frame.isna().sum().loc[["one", "text", "two"]].tolist() == [3, 6, 6]
    assert replay(path).history["two"] == [None] * 3 + [2] * 3 + [None] * 3
    # Beside the log nothing is left.
    assert [one.name for one in tmp_path.iterdir()] == ["log.csv"]


def test_the_header_of_a_stage_that_declares_nothing_comes_with_its_first_row(tmp_path):
    path = fit(tmp_path / "log.csv", Undeclared("a", one=1))
    assert pd.read_csv(path)["one"].tolist() == [1, 1, 1]
    path = fit(tmp_path / "none.csv", Growth("a", None, steps=0))
    assert path.read_text() == ",".join(CORE) + "\n"


def test_appending_keeps_the_columns_that_earlier_runs_have_got(tmp_path):
    path = fit(tmp_path / "log.csv", Undeclared("a", one=1), Undeclared("b", two=2))
    fit(path, Undeclared("a", two=4), append=True)
    fit(path, Undeclared("a", three=5), append=True)
    frame = pd.read_csv(path)
    assert list(frame.columns) == [*CORE, "one", "two", "three"]
    assert frame["two"].dropna().tolist() == [2] * 3 + [4] * 3
    assert frame["three"].tolist()[9:] == [5] * 3


def test_a_disk_that_takes_no_wider_file_keeps_the_rows_until_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_feed, "_RETRY_SECONDS", 0)
    refused, copymode = threading.Event(), shutil.copymode

    def no_room(*_):
        if not refused.is_set():
            refused.set()
            raise OSError(errno.ENOSPC, "No space left on device")

    class Waiting(Undeclared):
        def run(self, state, budget):
            for batch in super().run(state, budget):
                yield batch
                assert refused.wait(20)

    monkeypatch.setattr(csv_feed.shutil, "copymode", no_room)
    with pytest.warns(RuntimeWarning, match="No space left on device; trying again"):
        fit(tmp_path / "log.csv", Growth("a"), Waiting("b", one=1))
    monkeypatch.setattr(csv_feed.shutil, "copymode", copymode)
    assert pd.read_csv(tmp_path / "log.csv")["one"].tolist()[3:] == [1, 1, 1]
    assert [one.name for one in tmp_path.iterdir()] == ["log.csv"]


def test_what_is_no_file_gets_no_columns_and_says_so(tmp_path):
    with pytest.warns(RuntimeWarning, match="gets no columns for one"):
        fit(Path(os.devnull), Growth("a"), Undeclared("b", one=1))


@pytest.mark.parametrize("torn", ['growth,1,"ye', 'growth,1,"year\n', 'growth,1,"a ""quo\nted'])
def test_a_row_that_is_torn_within_quotes_is_dropped(tmp_path, torn):
    path = fit(tmp_path / "log.csv", Growth(metrics=("mean",)))
    with path.open("a") as file:
        file.write(torn)
    assert replay(path).history["batch"] == [0, 1, 2]
    fit(path, append=True)
    assert pd.read_csv(path)["batch"].tolist() == [0, 1, 2] * 2


def test_a_file_that_cannot_be_opened_ends_the_run_at_its_beginning(tmp_path):
    with pytest.raises(CallbackError, match="CSVLogger failed in check: IsADirectory"):
        fit(tmp_path)


def lines_of(path, count, patience=20.0):
    """The file's lines, once there are so many."""
    give_up = time.monotonic() + patience
    while len(lines := path.read_text().splitlines()) < count and time.monotonic() < give_up:
        time.sleep(0.01)
    return lines


def test_a_killed_process_leaves_its_rows(tmp_path):
    script = f"""
        import time
        from schoolbell.callbacks import CSVLogger
        from schoolbell.runner import Pipeline, replay
        from schoolbell.stages import Batch, Stage

        class Slow(Stage):
            def run(self, state, budget):
                for done in range(1, 100):
                    if done == 51:
                        print("now", flush=True)
                        time.sleep(60)
                    yield Batch(done, 100)

        Pipeline([Slow()]).fit(callbacks=CSVLogger({str(tmp_path / "log.csv")!r}), verbose=False)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"now\n"
    assert len(lines_of(tmp_path / "log.csv", 51)) == 51
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert pd.read_csv(tmp_path / "log.csv")["done"].tolist() == list(range(1, 51))


class Disk:
    """Stands for `os.write` on a disk that is full from one byte to another."""

    def __init__(self, room):
        self.room, self.refused = room, threading.Event()

    def write(self, file, data):
        if self.room <= 0:
            self.refused.set()
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = bytes(data[: self.room])
        self.room -= len(taken)
        return os.write(file, taken)


class Watched(Growth):
    """Makes room on the disk in its last step, once that has refused something."""

    def __init__(self, disk, steps):
        super().__init__(steps=steps)
        self.disk = disk

    def run(self, state, budget):
        for batch in super().run(state, budget):
            if batch.done == self.steps:
                assert self.disk.refused.wait(20)
                self.disk.room = 10**9
            yield batch


def with_disk(monkeypatch, disk):
    class System:
        def __getattr__(self, name):
            return disk.write if name == "write" else getattr(os, name)

    monkeypatch.setattr(pending_file, "os", System())


def test_a_full_disk_is_warned_of_once_and_the_rows_follow_when_there_is_room(
    tmp_path, monkeypatch
):
    disk = Disk(room=300)
    with_disk(monkeypatch, disk)
    monkeypatch.setattr(csv_feed, "_RETRY_SECONDS", 0)
    with pytest.warns(RuntimeWarning, match="No space left") as warned:
        fit(tmp_path / "log.csv", Watched(disk, 50))
    assert len(warned) == 1
    assert pd.read_csv(tmp_path / "log.csv")["done"].tolist() == list(range(1, 51))


def test_a_disk_that_stays_full_ends_neither_the_run_nor_the_memory(tmp_path, monkeypatch):
    with_disk(monkeypatch, Disk(room=0))
    monkeypatch.setattr(csv_feed, "_MOST_PENDING", 1000)
    logger = CSVLogger(tmp_path / "log.csv")
    feeds = []
    note = LambdaCallback(on_stage_end=lambda stage, logs: feeds.append(logger._feed))
    with pytest.warns(RuntimeWarning) as warned:
        run = Pipeline([Growth(steps=500)]).fit(callbacks=[logger, note], verbose=False)
    assert run.status == "finished"
    first, last = (str(one.message) for one in warned)
    assert "trying again" in first
    # The header and 500 rows.
    assert last == f"501 lines of {tmp_path / 'log.csv'} could not be written"
    assert len(feeds[0]._file) <= 1000 + 256 * 100


def test_a_disk_that_hangs_does_not_hold_up_the_run(tmp_path, monkeypatch):
    hanging, released = threading.Event(), threading.Event()

    class Hung(Disk):
        def write(self, file, data):
            if threading.current_thread() is not threading.main_thread():
                hanging.set()
                assert released.wait(20)
            return super().write(file, data)

    class Patient(Growth):
        def run(self, state, budget):
            for batch in super().run(state, budget):
                yield batch
                assert hanging.wait(20)
            released.set()

    with_disk(monkeypatch, Hung(room=10**9))
    fit(tmp_path / "log.csv", Patient(steps=9_000))
    assert pd.read_csv(tmp_path / "log.csv")["done"].tolist() == list(range(1, 9_001))


def test_no_row_is_lost_or_out_of_order_however_fast_batches_come(tmp_path):
    path = fit(tmp_path / "log.csv", Growth(steps=60_000))
    assert pd.read_csv(path)["done"].tolist() == list(range(1, 60_001))


def die(folder, batches, more, **options):
    with pytest.raises(CallbackError, match="DieAfter"):
        resumed_fit(folder, [*more, DieAfter(batches)], **options)


def resumed_log(folder, batches, logger, make=stages):
    """The rows of a log, but for the seconds, of a run that dies after so many batches and goes on.

    `logger` makes the CSVLogger of each of the two.
    """
    die(folder / "backup", batches, make=make, more=[logger()])
    resumed_fit(folder / "backup", [logger()], make=make)


def without_seconds(path):
    return pd.read_csv(path).drop(columns="elapsed").to_dict("list")


@pytest.mark.parametrize("append", [True, False])
@pytest.mark.parametrize("batches", [1, 4, 6, 9])
def test_a_resumed_log_is_that_of_a_run_that_was_never_killed(tmp_path, append, batches):
    resumed_fit(None, [CSVLogger(tmp_path / "whole.csv")])
    path = tmp_path / "log.csv"
    resumed_log(tmp_path, batches, lambda: CSVLogger(path, append=append))
    assert without_seconds(path) == without_seconds(tmp_path / "whole.csv")
    assert pd.read_csv(path)["elapsed"].is_monotonic_increasing
    assert len(replay(path).history["batch"]) == 12


class Unknown(Walk):
    metrics = None


def unknown():
    return [Unknown("one", 4), Unknown("two", 5)]


def killed_before_a_row(folder, batches, logger, make, monkeypatch):
    """What a kill between a backup and the first row that is written leaves; and all rows."""
    left = []
    with monkeypatch.context() as slow:
        slow.setattr(csv_feed, "_WRITE_SECONDS", 3600)
        look = LambdaCallback(on_exception=lambda _: left.append(logger.filename.read_bytes()))
        die(folder / "backup", batches, make=make, more=[logger, look])
    return left[0], logger.filename.read_bytes()


@pytest.mark.parametrize("make", [stages, unknown])
@pytest.mark.parametrize("append", [True, False])
@pytest.mark.parametrize("kills", [[6], [1, 1, 2]])
def test_rows_that_a_kill_has_lost_are_there_after_a_resume(
    tmp_path, monkeypatch, make, append, kills
):
    path = tmp_path / "log.csv"
    resumed_fit(None, [CSVLogger(tmp_path / "whole.csv")], make=make)
    for batches in kills:
        logger = CSVLogger(path, append=append)
        left, _ = killed_before_a_row(tmp_path, batches, logger, make, monkeypatch)
        path.write_bytes(left)
    resumed_fit(tmp_path / "backup", [CSVLogger(path, append=append)], make=make)
    assert without_seconds(path) == without_seconds(tmp_path / "whole.csv")


@pytest.mark.parametrize("kind", [Walk, Unknown])
def test_a_kill_leaves_no_hole_however_many_rows_the_disk_has_not_taken(
    tmp_path, monkeypatch, kind
):
    path, left = tmp_path / "log.csv", []

    def fit(*more):
        backup = BackupAndRestore(tmp_path / "backup", save_freq=3_000, interval=None)
        callbacks = [backup, CSVLogger(path), *more]
        Pipeline([kind("one", 4_000)]).fit(callbacks=callbacks, verbose=False)

    look = LambdaCallback(on_exception=lambda _: left.append(path.read_bytes()))
    with monkeypatch.context() as slow, pytest.raises(CallbackError, match="DieAfter"):
        slow.setattr(csv_feed, "_WRITE_SECONDS", 3600)
        fit(look, DieAfter(3_500))
    path.write_bytes(left[0])
    fit()
    assert pd.read_csv(path)["batch"].tolist() == list(range(4_000))


@pytest.mark.parametrize("append", [True, False])
def test_a_row_that_a_kill_has_torn_anywhere_is_whole_after_a_resume(tmp_path, monkeypatch, append):
    path, backup = tmp_path / "log.csv", tmp_path / "backup" / "backup.npz"
    resumed_fit(None, [CSVLogger(tmp_path / "whole.csv")])
    left, rows = killed_before_a_row(tmp_path, 3, CSVLogger(path), stages, monkeypatch)
    saved = backup.read_bytes()
    assert rows.startswith(left) and left.count(b"\n") == 1 and rows.count(b"\n") == 5
    for length in range(len(left), len(rows), 17):
        path.write_bytes(rows[:length])
        backup.write_bytes(saved)
        resumed_fit(backup.parent, [CSVLogger(path, append=append)])
        assert without_seconds(path) == without_seconds(tmp_path / "whole.csv"), rows[:length]


def test_rows_of_other_runs_stay_when_a_run_is_resumed(tmp_path):
    path = tmp_path / "log.csv"
    for _ in range(2):
        resumed_fit(None, [CSVLogger(path, append=True)])
    before = path.read_text()
    resumed_log(tmp_path, 6, lambda: CSVLogger(path, append=True))
    assert path.read_text().startswith(before)
    assert pd.read_csv(path)["batch"].tolist() == without_seconds(path)["batch"][:12] * 3


def test_a_log_in_which_another_run_has_gone_on_loses_no_row(tmp_path):
    path = tmp_path / "log.csv"
    die(tmp_path / "backup", 6, more=[CSVLogger(path, append=True)])
    resumed_fit(None, [CSVLogger(path, append=True)])
    before = path.read_text()
    resumed_fit(tmp_path / "backup", [CSVLogger(path, append=True)])
    assert path.read_text().startswith(before)


def test_a_resumed_log_that_has_grown_keeps_its_columns(tmp_path):
    def make():
        return [Walk("one", 4), Undeclared("late", gain=2), Walk("three", 5)]

    path = tmp_path / "log.csv"
    resumed_fit(None, [CSVLogger(tmp_path / "whole.csv")], make=make)
    resumed_log(tmp_path, 8, lambda: CSVLogger(path, append=True), make=make)
    assert without_seconds(path).keys() == without_seconds(tmp_path / "whole.csv").keys()
    assert (tmp_path / "whole.csv").read_text().count("\n") == path.read_text().count("\n")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "Is a directory"), ("file/log.csv", "Not a directory"), ("n" * 300, "too long")],
)
def test_a_path_that_cannot_be_written_is_told_before_any_work(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    began = []
    callbacks = [
        LambdaCallback(on_pipeline_begin=lambda logs: began.append(1)),
        BackupAndRestore(tmp_path / "backup"),
        CSVLogger(tmp_path / name),
    ]
    with pytest.raises(CallbackError, match=reason) as caught:
        Pipeline([Growth()]).fit(callbacks=callbacks, verbose=False)
    assert caught.value.hook == "check"
    assert not began
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]
