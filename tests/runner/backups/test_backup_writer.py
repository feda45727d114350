"""The thread that writes backups."""

import threading

import pytest
from schoolbell.runner.backups import backup_writer
from schoolbell.runner.backups.backup_writer import BackupWriter
from schoolbell.runner.backups.left_out import LeftOut


class Saved:
    """A backup of nothing."""

    def as_tree(self):
        return {}, []


def test_a_disk_that_hangs_holds_up_the_end_of_a_run_for_a_while_only(tmp_path, monkeypatch):
    began, released = threading.Event(), threading.Event()

    def hang(path, tree):
        began.set()
        released.wait()

    monkeypatch.setattr(backup_writer, "write_backup", hang)
    monkeypatch.setattr(backup_writer, "_PATIENCE", 0.01)
    writer = BackupWriter(LeftOut())
    writer.put(tmp_path / "backup.npz", Saved())
    assert began.wait(10)
    with pytest.warns(RuntimeWarning, match=r"not written after 0\.01 s"):
        writer.close()
    released.set()


def test_the_end_of_a_run_waits_for_its_last_backup(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(backup_writer, "write_backup", lambda path, tree: written.append(path))
    writer = BackupWriter(LeftOut())
    writer.put(tmp_path / "backup.npz", Saved())
    writer.close()
    assert written == [tmp_path / "backup.npz"]
