"""Where a run of the command line leaves its files."""

from pathlib import Path

import pytest
from schoolbell.runner.cli.run_files import RunFiles


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_every_run_has_a_folder_of_its_own():
    files = [RunFiles.create("week") for _ in range(3)]
    assert len({one.folder for one in files}) == 3
    assert all(one.folder.is_dir() and one.job_id == one.folder.name for one in files)
    assert files[0].solution.parent == files[0].log.parent == files[0].folder


@pytest.mark.parametrize("label", ["../../etc/x", "/abs", "..", "", "a\nb", "ü" * 300])
def test_no_name_of_an_instance_leads_out_of_the_folder_of_runs(label):
    folder = RunFiles.create(label).folder
    assert folder.resolve().parent == Path("runs").resolve()


def test_a_file_may_go_elsewhere():
    files = RunFiles.create("week", solution=Path("best.sol"), page=Path("week.html"))
    assert (files.solution, files.page) == (Path("best.sol"), Path("week.html"))
    assert files.table.parent == files.folder


def test_the_check_leaves_files_as_they_are():
    Path("old.sol").write_text("old")
    RunFiles.create("week", solution=Path("old.sol"), log=Path("/dev/null"))
    assert Path("old.sol").read_text() == "old"
    assert {path.name for path in Path().iterdir()} == {"old.sol", "runs"}


@pytest.mark.parametrize("target", ["absent/x.sol", ".", "file/x.sol"])
def test_what_cannot_be_written_is_told_before_a_folder_is_made(target):
    Path("file").touch()
    with pytest.raises(OSError) as caught:
        RunFiles.create("week", page=Path(target))
    assert caught.value.filename == target
    assert not Path("runs").exists()
