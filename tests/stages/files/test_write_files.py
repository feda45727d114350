"""Several files of one result."""

import pytest
from schoolbell.stages.files.write_files import write_files


def test_what_has_a_path_is_written_and_told(tmp_path):
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"

    def never(path):
        raise AssertionError

    writers = [
        (one, lambda path: path.write_text("1")),
        (None, never),
        (str(two), lambda path: two.write_text(path)),
    ]
    assert write_files(writers) == [one, two]
    assert one.read_text() == "1"
    assert two.read_text() == str(two)


def test_all_that_can_be_is_written_and_all_that_cannot_is_told(tmp_path):
    nowhere, good, folder = tmp_path / "no" / "one", tmp_path / "good", tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(FileNotFoundError) as error:
        write_files(
            [(one, lambda path: path.write_text("text")) for one in (nowhere, good, folder)]
        )
    assert error.value.filename == str(nowhere)
    assert error.value.__notes__ == [f"{folder} was not written either: Is a directory"]
    assert good.read_text() == "text"
