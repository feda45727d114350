"""Several files of one result."""

import pytest
from schoolbell.stages.files.write_files import write_files


def test_texts_and_bytes_are_written_and_told_and_what_has_no_path_is_not_made(tmp_path):
    text, data = tmp_path / "one.txt", tmp_path / "two.bin"

    def never():
        raise AssertionError

    wanted = [(text, lambda: "λόγος\n"), (None, never), (str(data), lambda: b"\0\1")]
    assert write_files(wanted) == [text, data]
    assert text.read_bytes() == "λόγος\n".encode()
    assert data.read_bytes() == b"\0\1"


def test_all_that_can_be_is_written_and_all_that_cannot_is_told(tmp_path):
    nowhere, good, folder = tmp_path / "no" / "one", tmp_path / "good", tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(FileNotFoundError) as error:
        write_files([(one, lambda: "text") for one in (nowhere, good, folder)])
    assert error.value.filename == str(nowhere)
    assert error.value.__notes__ == [f"{folder} was not written either: Is a directory"]
    assert good.read_text() == "text"
    assert sorted(tmp_path.iterdir()) == [folder, good]
