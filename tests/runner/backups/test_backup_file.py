"""Backups that somebody has tampered with are refused, and fill no memory."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schoolbell.runner import BackupError
from schoolbell.runner.backups.backup_file import KIND, VERSION, read_backup, write_backup
from schoolbell.stages.files.array_file import write_arrays
from schoolbell.stages.plain_data import copy_plain

TREE = {
    "numbers": [1, 2.5, None, True, 2**100, float("inf")],
    "pair": (1, ("a", "ü")),
    "arrays": {"small": np.arange(6, dtype=np.int32).reshape(2, 3), "flags": np.array([True])},
}


@pytest.fixture
def path(tmp_path):
    write_backup(tmp_path / "backup.npz", TREE)
    return tmp_path / "backup.npz"


def same(one, two):
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and np.array_equal(one, two)
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[name], two[name]) for name in one)
    if isinstance(one, list | tuple):
        return type(one) is type(two) and all(map(same, one, two))
    return one == two


def test_what_is_written_is_read(path):
    assert same(read_backup(path), TREE)


ODD = [
    b"", b"\0\xff", bytearray(b"ab"), 2j, complex("nan+infj"), {1, "a", (2, b"c")}, frozenset({3}),
    {1: "a", None: {2.5: ()}, (1, "b"): [set()]}, {"__tuple__": [1]}, {"__array__": "a0"},
    {"__items__": 1, "more": 2}, 10**5000, -(10**5000), float("-inf"), "\ud800\0", "",
    np.datetime64("2020-02-02"), np.timedelta64(5, "s"), np.array(5), np.array(["a", "bcd"]),
    np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", ">f8")]), np.zeros((0, 3)), np.float16([1, 2]),
    np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(["2020-01-01"], "datetime64[D]"),
    np.array([True, False])[::-1], np.array([1 + 2j]),
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_what_json_has_no_place_for_is_read_as_it_was_written(tmp_path, value):
    write_backup(tmp_path / "backup.npz", {"value": value, "again": [(value,)]})
    tree = read_backup(tmp_path / "backup.npz")
    for one in (tree["value"], tree["again"][0][0]):
        assert type(one) is type(value)
        if isinstance(value, np.ndarray):
            assert one.dtype == value.dtype
            assert np.array_equal(one, value)
        else:
            assert one == value or repr(one) == repr(value)


def test_data_as_deep_as_a_copy_may_be_are_read_again(tmp_path):
    value = 1
    for turn in range(48):
        value = [value] if turn % 3 else {(turn,): (value,)}
    value = copy_plain(value)
    write_backup(tmp_path / "backup.npz", {"value": value})
    assert read_backup(tmp_path / "backup.npz") == {"value": value}


@pytest.mark.parametrize(
    "senseless",
    [{"__bytes__": "a7"}, {"__bytes__": []}, {"__int__": 5}, {"__int__": "z"}, {"__set__": [[]]},
     {"__items__": [1]}, {"__items__": [[[], 1]]}, {"__complex__": [10**400, 1]},
     {"__complex__": "no"}, {"__scalar__": None}, {"__tuple__": 5}, {"__array__": {}}],
)  # fmt: skip
def test_a_tag_that_makes_no_sense_is_refused(tmp_path, senseless):
    text = json.dumps({"value": senseless}).encode()
    arrays = {"tree": np.frombuffer(text, np.uint8), "a0": np.zeros(2)}
    write_arrays(tmp_path / "backup.npz", KIND, VERSION, arrays)
    with pytest.raises(BackupError):
        read_backup(tmp_path / "backup.npz")


def peak_of_refusing(path):
    tracemalloc.start()
    try:
        with pytest.raises(BackupError):
            read_backup(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def npy(shape, descr="<i8", body=b""):
    header = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def with_entry(path, data):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a9.npy", data)


@pytest.mark.parametrize(
    "data",
    [npy((10**12,)), npy((2**62, 4)), npy((-1,)), npy((3,)), npy((10**9,), "|V0"), b"", b"\x93NUM"],
)
def test_an_array_that_claims_a_size_it_does_not_have_is_refused(path, data):
    with_entry(path, data)
    assert peak_of_refusing(path) < 5_000_000


def test_an_archive_that_unpacks_to_too_much_is_refused(path, monkeypatch):
    monkeypatch.setattr("schoolbell.runner.backups.backup_file.MOST_BYTES", 10_000_000)
    with_entry(path, bytes(50_000_000))
    assert path.stat().st_size < 100_000
    assert peak_of_refusing(path) < 5_000_000


def test_an_archive_that_hides_how_much_it_unpacks_to_is_refused(path):
    with_entry(path, npy((10,), body=bytes(20_000_000)))
    data = path.read_bytes()
    size = struct.pack("<I", 20_000_000 + len(npy((10,))))
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, struct.pack("<I", 200)))
    assert peak_of_refusing(path) < 5_000_000


def test_a_directory_of_very_many_entries_is_refused(path):
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(60_000):
            archive.writestr(zipfile.ZipInfo(f"{number:064}"), b"")
    assert path.stat().st_size < 15_000_000
    assert peak_of_refusing(path) < 5_000_000


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_takes_memory_of_its_own_is_refused(path, compression):
    with zipfile.ZipFile(path, "a", compression) as archive:
        archive.writestr("a9.npy", npy((1,), body=bytes(8)))
    assert peak_of_refusing(path) < 5_000_000


@pytest.mark.parametrize("end", [b"comment", b"64"])
def test_an_archive_that_ends_otherwise_is_refused(path, end):
    if end == b"64":
        whole, directory = path.read_bytes(), struct.pack("<Q", 1 << 40)
        record = b"PK\6\6" + struct.pack("<QHHLLQQ", 44, 45, 45, 0, 0, 3, 3) + directory * 2
        locator = b"PK\6\7" + struct.pack("<LQL", 0, len(whole) - 22, 1)
        path.write_bytes(whole[:-22] + record + locator + whole[-22:])
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = end
    assert peak_of_refusing(path) < 5_000_000


def test_text_that_would_become_very_many_objects_is_refused(path, monkeypatch):
    monkeypatch.setattr("schoolbell.runner.backups.backup_file.MOST_BYTES_OF_TEXT", 1_000_000)
    text = b"{" + b'"a":[' + b"[]," * 400_000 + b"[]]}"
    write_arrays(path, KIND, VERSION, {"tree": np.frombuffer(text, np.uint8)})
    assert peak_of_refusing(path) < 5_000_000


def test_what_would_not_be_read_is_not_written(path, monkeypatch):
    monkeypatch.setattr("schoolbell.runner.backups.backup_file.MOST_BYTES", 1_000_000)
    with pytest.raises(OSError, match="too many"):
        write_backup(path, {"large": np.zeros(200_000)})
    assert same(read_backup(path), TREE)


class Mischief:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def test_objects_are_never_unpickled(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with_entry(path, npy((1,), "|O", pickle.dumps([Mischief()])))
    peak_of_refusing(path)
    path.write_bytes(pickle.dumps(Mischief()))
    peak_of_refusing(path)
    buffer = io.BytesIO()
    np.savez(buffer, tree=np.array([Mischief()], object))
    path.write_bytes(buffer.getvalue())
    peak_of_refusing(path)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "text",
    [b"", b"[1]", b"nonsense", b'{"__array__": "a7"}', b"[" * 100_000, b'{"a": {"__tuple__": 3}}'],
)
def test_contents_that_make_no_sense_are_refused(path, text):
    write_arrays(path, KIND, VERSION, {"tree": np.frombuffer(text, np.uint8)})
    peak_of_refusing(path)


def test_a_folder_a_pipe_and_another_archive_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    write_arrays(tmp_path / "agent", "an agent", 1, {})
    for name in (".", "pipe", "agent"):
        peak_of_refusing(tmp_path / name)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
    st.floats(0, 1),
)
def test_a_changed_or_cut_backup_is_refused_or_reads_as_before(path, changes, part):
    whole = path.read_bytes()
    data = bytearray(whole)
    for place, value in changes:
        data[int(place * len(data))] = value
    changed = bytes(data[: int(part * len(data))] if part < 0.8 else data)
    try:
        path.write_bytes(changed)
        assert same(read_backup(path), TREE)
    except BackupError:
        assert changed != whole
    finally:
        path.write_bytes(whole)
