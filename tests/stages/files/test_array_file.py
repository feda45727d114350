import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from schoolbell.stages import FormatError
from schoolbell.stages.files.array_file import read_arrays, write_arrays

ARRAYS = {
    "matrix": np.arange(12.0).reshape(3, 4),
    "names": np.array(["a", "bc"]),
    "none": np.zeros((0, 3), np.int32),
    "one": np.array(5),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "arrays.npz"
    write_arrays(file, "numbers", 2, ARRAYS)
    return file


def rewrite(path: Path, name: str, data: bytes) -> None:
    """Replace one member of the archive."""
    with zipfile.ZipFile(path) as archive:
        members = {entry: archive.read(entry) for entry in archive.namelist()}
    members[name] = data
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in members.items():
            archive.writestr(entry, content)


def test_arrays_come_back_as_they_were(path: Path) -> None:
    found = read_arrays(path, "numbers", 2)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_numpy_can_read_the_file_too(path: Path) -> None:
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["matrix"], ARRAYS["matrix"])


@pytest.mark.parametrize(("kind", "version"), [("letters", 2), ("numbers", 3)])
def test_another_kind_or_version_is_refused(path: Path, kind: str, version: int) -> None:
    with pytest.raises(FormatError, match=rf"found numbers.*expected {kind}|version"):
        read_arrays(path, kind, version)


def test_changed_contents_are_noticed(path: Path) -> None:
    part = io.BytesIO()
    np.lib.format.write_array(part, np.zeros((3, 4)))
    rewrite(path, "matrix.npy", part.getvalue())
    with pytest.raises(FormatError, match="digest"):
        read_arrays(path, "numbers", 2)


def test_an_array_that_claims_more_than_it_has_is_refused(path: Path) -> None:
    part = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        part, {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    )
    rewrite(path, "matrix.npy", part.getvalue())
    with pytest.raises(FormatError, match="wrong size"):
        read_arrays(path, "numbers", 2)


def test_more_bytes_than_allowed_are_refused_before_they_are_read(path: Path) -> None:
    rewrite(path, "matrix.npy", bytes(100_000))
    with pytest.raises(FormatError, match="more than 50000 bytes"):
        read_arrays(path, "numbers", 2, most_bytes=50_000)


def test_objects_are_never_unpickled(path: Path) -> None:
    part = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        part, {"descr": "|O", "fortran_order": False, "shape": (1,)}
    )
    rewrite(path, "matrix.npy", part.getvalue() + pickle.dumps([1]))
    with pytest.raises(FormatError, match="wrong size"):
        read_arrays(path, "numbers", 2)


@pytest.mark.parametrize("content", [b"", b"comp01", b"PK\x03\x04 and nothing else"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.npz.*expected numbers"):
        read_arrays(tmp_path / "x.npz", "numbers", 2)


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"x\.npz: found No such file"):
        read_arrays(tmp_path / "x.npz", "numbers", 2)


def test_a_cut_file_is_refused(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FormatError):
        read_arrays(path, "numbers", 2)
