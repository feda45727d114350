"""Records and a disk that does not always take them."""

import os

import pytest
from schoolbell.callbacks.background import pending_file
from schoolbell.callbacks.background.pending_file import PendingFile


def opened(path, flags=0):
    return PendingFile(os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666))


def filling_up(room):
    """Stands for `os.write` on a disk with so many bytes of room."""

    def write(file, data):
        nonlocal room
        if room <= 0:
            raise OSError("full")
        taken = bytes(data[:room])
        room -= len(taken)
        return os.write(file, taken)

    return write


def _system(write):
    """The module os with another `write`."""

    class System:
        def __getattr__(self, name):
            return write if name == "write" else getattr(os, name)

    return System()


@pytest.mark.parametrize("flags", [0, os.O_APPEND])
@pytest.mark.parametrize("room", range(0, 40, 3))
def test_a_full_disk_holds_whole_records_and_later_all_of_them(tmp_path, monkeypatch, flags, room):
    path = tmp_path / "file"
    file = opened(path, flags)
    records = [b"one\n", b"three\n", b"a longer one\n", b"five\n", b"x\n"]
    for record in records:
        file.add(record)
    with monkeypatch.context() as patch:
        patch.setattr(pending_file, "os", _system(filling_up(room)))
        if room < 30:
            with pytest.raises(OSError, match="full"):
                file.flush()
    taken = path.read_bytes()
    wholes = [b"".join(records[:count]) for count in range(len(records) + 1)]
    assert taken in wholes
    assert len(file) == 30 - len(taken)
    assert file.lines() == 5 - taken.count(b"\n")
    file.flush()
    file.close()
    assert path.read_bytes() == wholes[-1]


def test_a_pipe_cannot_take_back_and_gets_the_rest(monkeypatch):
    reader, writer = os.pipe()
    file = PendingFile(writer)
    file.add(b"a record\n")
    with monkeypatch.context() as patch:
        patch.setattr(pending_file, "os", _system(filling_up(3)))
        with pytest.raises(OSError, match="full"):
            file.flush()
    file.flush()
    file.close()
    assert os.read(reader, 100) == b"a record\n"
    os.close(reader)


def test_closing_twice_leaves_a_file_alone_that_has_the_number_now(tmp_path):
    first = PendingFile(os.open(tmp_path / "first", os.O_WRONLY | os.O_CREAT))
    first.close()
    number = os.open(tmp_path / "second", os.O_WRONLY | os.O_CREAT)
    first.close()
    os.write(number, b"still open")
    os.close(number)
    assert (tmp_path / "second").read_bytes() == b"still open"
