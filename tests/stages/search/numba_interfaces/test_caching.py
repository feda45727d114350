"""Where compiled kernels come from and go to, whatever may be written."""

import ctypes
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from numba.core import config
from schoolbell.stages.search.numba_interfaces import caching

SOURCE = """
from schoolbell.stages.search.compiling import inner, kernel

@inner
def step(x):
    return x + 1

@kernel
def grow(x):
    return step(x) * 10

@kernel
def shrink(x):
    return step(x) // 10
"""
CALL = """
import json, sys
sys.path.insert(0, sys.argv[1])
import growing
results = growing.grow(1), growing.shrink(9)
loaded = sum(sum(one.stats.cache_hits.values()) for one in (growing.grow, growing.shrink))
print(json.dumps([*results, loaded, growing.grow.stats.cache_path]))
"""
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24

pytestmark = pytest.mark.skipif(os.name != "posix", reason="permissions as of POSIX")


class Called(NamedTuple):
    """What a call found: how many of two kernels, where the first is kept, and warnings."""

    loaded: int
    folder: Path | None
    told: list[str]


class Place:
    """A module with two kernels, a home and a folder for temporary files."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.monkeypatch = folder, monkeypatch
        self.source, self.home, self.temporary = (
            folder / name for name in ("source", "home", "temporary")
        )
        for one in (self.source, self.home, self.temporary):
            one.mkdir(mode=0o700)
        (self.source / "growing.py").write_text(SOURCE)
        self.private = self.temporary / f"{caching.PRIVATE}-{os.geteuid()}"
        self.frozen: list[Path] = []
        for name in [name for name in os.environ if name.startswith(("NUMBA_", "XDG_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(self.home))
        monkeypatch.setattr(tempfile, "tempdir", str(self.temporary))
        monkeypatch.setattr(config, "CACHE_DIR", "")
        self.can_write = caching.can_write
        monkeypatch.setattr(caching, "can_write", self._can_write)

    def _can_write(self, folder: Path) -> bool:
        # What permissions do not keep a superuser from.
        return not any(map(folder.is_relative_to, self.frozen)) and self.can_write(folder)

    def freeze(self, *folders: Path) -> None:
        """Let nothing be written in some folders."""
        self.frozen += folders

    def call(self) -> Called:
        """Call the kernels of the module as a new process does."""
        self.can_write.cache_clear()
        self.monkeypatch.setattr(caching, "_warned", set())
        spec = importlib.util.spec_from_file_location("growing", self.source / "growing.py")
        assert spec is not None and spec.loader is not None
        growing = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(growing)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert (growing.grow(1), growing.shrink(9)) == (20, 1)
        loaded = sum(sum(one.stats.cache_hits.values()) for one in (growing.grow, growing.shrink))
        path = growing.grow.stats.cache_path
        return Called(loaded, path and Path(path), [str(one.message) for one in told])

    def call_in_another_process(self, *options: str) -> Called:
        """Do the same for good, bound by permissions whoever the user is."""
        done = subprocess.run(
            [sys.executable, *options, "-c", CALL, self.source],
            env={**os.environ, "TMPDIR": str(self.temporary), "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=bound_by_permissions,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        grown, shrunk, loaded, path = json.loads(done.stdout)
        assert (grown, shrunk) == (20, 1)
        told = [line for line in done.stderr.splitlines() if "NUMBA_CACHE_DIR" in line]
        return Called(loaded, path and Path(path), told)


def bound_by_permissions() -> None:
    """Let a superuser's process be refused what another user's is."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    yield Place(tmp_path, monkeypatch)
    for path in tmp_path.iterdir():
        path.chmod(0o700)


def test_kernels_are_kept_beside_their_source(place: Place) -> None:
    folder = place.source / "__pycache__"
    assert place.call() == (0, folder, [])
    assert place.call() == (2, folder, [])


def test_kernels_in_a_folder_that_cannot_be_written_are_used_without_a_word(place: Place) -> None:
    place.call()
    place.freeze(place.folder)
    assert place.call() == (2, None, [])


def test_what_such_a_folder_lacks_is_kept_in_the_users_own(place: Place) -> None:
    place.freeze(place.source)
    loaded, folder, told = place.call()
    assert (loaded, told) == (0, [])
    assert folder is not None and folder.is_relative_to(place.home)
    assert place.call() == (2, folder, [])


@pytest.mark.parametrize("home", ["frozen", "", "/dev/null/home"])
def test_without_a_home_kernels_are_kept_in_a_private_folder_and_one_warning_says_so(
    place: Place, home: str
) -> None:
    place.freeze(place.source, place.home, Path("/.cache"))
    place.monkeypatch.setenv("HOME", str(place.home) if home == "frozen" else home)
    for already_there in (0, 2):
        loaded, folder, told = place.call()
        assert loaded == already_there
        assert folder is not None and folder.parent == place.private
        assert place.private.stat().st_mode & 0o777 == 0o700
        assert len(told) == 1
        assert str(place.private) in told[0]
        assert "NUMBA_CACHE_DIR" in told[0]


def test_where_nothing_can_be_written_kernels_are_compiled_and_one_warning_says_so(
    place: Place,
) -> None:
    place.freeze(place.source, place.home)
    place.private.write_text("in the way")
    for _ in range(2):
        loaded, folder, told = place.call()
        assert (loaded, folder) == (0, None)
        assert len(told) == 1
        assert "in every process" in told[0]
        assert "NUMBA_CACHE_DIR" in told[0]


def test_permissions_decide_and_a_warning_that_raises_ends_no_kernel(place: Place) -> None:
    place.source.chmod(0o500)
    place.home.chmod(0o500)
    loaded, folder, told = place.call_in_another_process("-W", "error::RuntimeWarning")
    assert loaded == 0
    assert folder is not None and folder.parent == place.private
    assert len(told) == 1
    loaded, _, told = place.call_in_another_process()
    assert loaded == 2
    assert len(told) == 1


def test_a_folder_that_the_user_names_comes_first(place: Place) -> None:
    place.call()
    chosen = place.home / "chosen"
    place.monkeypatch.setattr(config, "CACHE_DIR", str(chosen))
    loaded, folder, told = place.call()
    assert (loaded, told) == (0, [])
    assert folder is not None and folder.is_relative_to(chosen)
    place.freeze(chosen)
    assert place.call().loaded == 2


def test_a_damaged_file_is_as_good_as_none(place: Place) -> None:
    place.call()
    for path in (place.source / "__pycache__").glob("growing.grow*"):
        path.write_bytes(path.read_bytes()[:40])
    assert place.call()[::2] == (1, [])
    assert place.call()[::2] == (2, [])


def test_a_full_disk_costs_the_cache_and_not_the_kernel(place: Place) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    place.monkeypatch.setattr(caching.FunctionCache, "save_overload", full)
    loaded, _, told = place.call()
    assert loaded == 0
    assert len(told) == 1
    assert "No space left on device" in told[0]


def filled_private_folder(place: Place) -> Path:
    place.freeze(place.source, place.home)
    place.call()
    assert place.call().loaded == 2
    return place.private


def test_nothing_is_loaded_from_a_private_folder_that_others_may_write(place: Place) -> None:
    filled_private_folder(place).chmod(0o770)
    assert place.call()[:2] == (0, None)


def test_nothing_is_loaded_through_a_link(place: Place) -> None:
    private = filled_private_folder(place)
    private.rename(place.temporary / "elsewhere")
    private.symlink_to(place.temporary / "elsewhere")
    assert place.call()[:2] == (0, None)


def test_nothing_is_loaded_from_where_others_may_put_another_folder(place: Place) -> None:
    filled_private_folder(place)
    place.temporary.chmod(0o777)
    assert place.call()[:2] == (0, None)
    place.temporary.chmod(0o1777)
    assert place.call().loaded == 2


def test_nothing_is_loaded_from_another_users_folder(place: Place) -> None:
    filled_private_folder(place)
    owner = os.geteuid()
    place.monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    place.private.rename(place.temporary / f"{caching.PRIVATE}-{owner + 1}")
    loaded, folder, told = place.call()
    assert (loaded, folder) == (0, None)
    assert "in every process" in told[0]


def test_a_private_folder_that_has_gone_is_made_anew(place: Place) -> None:
    shutil.rmtree(filled_private_folder(place))
    loaded, folder, _ = place.call()
    assert loaded == 0
    assert folder is not None and folder.parent == place.private
    assert place.private.stat().st_mode & 0o777 == 0o700
