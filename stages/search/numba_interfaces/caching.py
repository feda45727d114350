"""Where compiled kernels are kept between two processes.

numba's cache, with two differences: it knows all that a kernel takes in, and it is
content with what there is. Kernels that lie in a folder which cannot be written are
used all the same, and where no folder can be written none is needed.
"""

import os
import stat
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numba.core.config
from numba.core.caching import (
    CompileResultCacheImpl,
    FunctionCache,
    _CacheLocator,  # pyright: ignore[reportPrivateUsage]
)
from numba.misc.appdirs import AppDirs

from ..sources import fingerprint

_config: Any = numba.core.config
PRIVATE = "schoolbell-kernels"
"""Name of the folder under the temporary one, before the user's number."""


class KernelCache:
    """The compiled code of one kernel on disk; what numba asks of a cache.

    The first of these folders that can be written is the kernel's own: the one that
    ``NUMBA_CACHE_DIR`` names, ``__pycache__`` beside the source, numba's folder of
    the user, and a private one under the temporary folder. Those before it are read.

    Parameters
    ----------
    function
        The Python function of the kernel.
    """

    def __init__(self, function: Any) -> None:
        self._function = function
        self._stores: dict[Path, _Store] = {}
        self._own: _Store | None = None
        self._enabled = True

    @property
    def cache_path(self) -> str | None:
        """The folder that the kernel is written to, if that is known yet."""
        return None if self._own is None else self._own.cache_path

    def enable(self) -> None:
        """Use the cache."""
        self._enabled = True

    def disable(self) -> None:
        """Neither read nor write."""
        self._enabled = False

    def flush(self) -> None:
        """Forget what the kernel's own folder holds of it."""
        if self._own is not None:
            self._own.flush()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the code for a signature, None if it is nowhere."""
        source = self._function.__code__.co_filename
        if not self._enabled or not _has_source(source):
            return None
        target_context.refresh()
        tried = _folders(source)
        for folder in tried:
            store = self._store(folder)
            own = can_write(folder)
            if own:
                self._own = store
            found = _loaded(store, sig, target_context)
            if own or found is not None:
                return found
        folder = private_folder()
        _tell(folder, tried)
        if folder is None:
            self._own = None
            return None
        self._own = self._store(folder / _subfolder(source))
        return _loaded(self._own, sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature, if there is a place for it."""
        if not self._enabled or self._own is None:
            return
        try:
            self._own.save_overload(sig, data)
        except OSError as error:
            _warn(f"a compiled kernel could not be kept in {self._own.cache_path}: {error}")

    def _store(self, folder: Path) -> "_Store":
        if folder not in self._stores:
            self._stores[folder] = _Store(self._function, folder, self._stamp)
        return self._stores[folder]

    @cached_property
    def _stamp(self) -> str:
        # Not before it is needed: at its definition a kernel's callees may be missing.
        return fingerprint(self._function)


class _Store(FunctionCache):
    """numba's cache of a function, in a folder that is given."""

    def __init__(self, function: Any, folder: Path, stamp: str) -> None:
        class Implementation(CompileResultCacheImpl):
            _locator_classes = [_Locator(function, folder, stamp)]  # noqa: RUF012 - as numba's

        self._impl_class = Implementation
        super().__init__(function)


class _Locator:
    """Tells numba the folder and the stamp."""

    def __init__(self, function: Any, folder: Path, stamp: str) -> None:
        self._py_file = function.__code__.co_filename
        self._line = function.__code__.co_firstlineno
        self._folder = folder
        self._stamp = stamp

    def from_function(self, py_func: Any, py_file: str) -> "_Locator":
        """Return the locator; numba expects a class."""
        return self

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """Return what changes with the kernel's sources."""
        return self._stamp

    def get_disambiguator(self) -> str:
        """Return what tells apart functions of one name."""
        return str(self._line)

    def ensure_cache_path(self) -> None:
        """Make the folder, in a private one that is still private."""
        if self._folder.parent.name.startswith(PRIVATE) and private_folder() is None:
            raise PermissionError(f"{self._folder.parent} is not private any more")
        self._folder.mkdir(parents=True, exist_ok=True)


def _loaded(store: _Store, sig: Any, target_context: Any) -> Any:
    try:
        return store.load_overload(sig, target_context)
    except Exception:
        # Damaged, half copied or not to be read: compiled anew, and written over.
        with suppress(OSError):
            store.flush()
        return None


def _has_source(source: str) -> bool:
    """Tell whether a source is a file, or part of one; what was typed in comes and goes."""
    return Path(source).exists() or ".zip" in source or getattr(sys, "frozen", False)


def _folders(source: str) -> list[Path]:
    """List the folders that a user chooses or that numba uses, the first choice first."""
    folders = [Path(source).parent / "__pycache__"] if Path(source).exists() else []
    users = Path(AppDirs("numba", appauthor=False).user_cache_dir)
    if users.is_absolute():
        # Else there is no home to begin with.
        folders.append(users / _subfolder(source))
    if _config.CACHE_DIR:
        folders.insert(0, Path(_config.CACHE_DIR) / _subfolder(source))
    return folders


def _subfolder(source: str) -> str:
    return _CacheLocator.get_suitable_cache_subpath(source)


@cache
def can_write(folder: Path) -> bool:
    """Tell whether files can be made in a folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def private_folder() -> Path | None:
    """Return a folder under the temporary one that nobody else can write, if there can be one.

    What lies there is executed when it is read: a folder of somebody else, one that
    others may write, a link, or one that others could replace is not used.
    """
    try:
        parent = Path(tempfile.gettempdir())
        folder = parent / (f"{PRIVATE}-{os.geteuid()}" if os.name == "posix" else PRIVATE)
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.name == "posix" and not (_is_ours_alone(folder) and _keeps_names(parent)):
            return None
    except OSError:
        return None
    return folder


def _is_ours_alone(folder: Path) -> bool:
    status = folder.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid()
    return is_ours and stat.S_IMODE(status.st_mode) & 0o077 == 0


def _keeps_names(parent: Path) -> bool:
    """Tell whether a folder lets nobody rename what is another user's."""
    mode = parent.stat().st_mode
    return bool(mode & stat.S_ISVTX) or mode & 0o022 == 0


def _tell(folder: Path | None, tried: list[Path]) -> None:
    kept = "in every process" if folder is None else f"into {folder}"
    places = " nor ".join(map(str, tried))
    _warn(
        f"kernels are compiled {kept}, which takes a minute: neither {places} can be written; "
        "NUMBA_CACHE_DIR may name a folder that can"
    )


_warned: set[str] = set()


def _warn(message: str) -> None:
    """Warn once a process, whatever the kernel; no warning ends a run."""
    if _warned:
        return
    _warned.add(message)
    try:
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    except RuntimeWarning:
        print(f"schoolbell: {message}", file=sys.stderr)
