"""A Redis server for a service on one machine: its data outlive it."""

import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ....callbacks import RedisUnavailableError
from ....callbacks.remote.embedded_redis import find_program
from ....callbacks.remote.redis_connection import connect

_START_SECONDS = 10.0
_STOP_SECONDS = 1.5
# A path of a unix socket must not be longer on any system.
_LONGEST_SOCKET_PATH = 100

# No port: what is behind it would be readable by everybody on the machine.
_CONFIGURATION = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
save ""
appendonly yes
appendfsync everysec
"""

# The server goes even when this process is killed: the other end of the pipe is closed then.
_GUARD = 'read -r _; kill "$1"'


class OwnRedis:
    """A Redis server on a unix socket that writes what it knows to a folder.

    Parameters
    ----------
    folder
        Where its data are; made if it is missing.

    Attributes
    ----------
    url
        Its address, for this user alone; the same after every start.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._away: tempfile.TemporaryDirectory[str] | None = None
        socket = folder / "redis.sock"
        if len(str(socket)) > _LONGEST_SOCKET_PATH:
            self._away = tempfile.TemporaryDirectory(prefix="schoolbell-")
            socket = Path(self._away.name) / "redis.sock"
        self._socket = socket
        self.url = f"unix://{socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The server's process; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises
        ------
        RedisUnavailableError
            If there is no program, or it does not start.
        """
        program = find_program()
        self._end_guard()
        configuration = self._folder / "redis.conf"
        text = _CONFIGURATION.format(socket=self._socket, folder=self._folder)
        configuration.write_text(text, encoding="utf-8")
        self._socket.unlink(missing_ok=True)
        with (self._folder / "redis.log").open("wb") as log:
            # In a session of its own: Ctrl-C is for the service, which ends it last.
            self._process = subprocess.Popen(
                [program, configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        from redis import RedisError

        deadline = time.monotonic() + _START_SECONDS
        while self.runs and time.monotonic() < deadline:
            if self._socket.exists():
                with suppress(RedisError, OSError), connect(self.url) as client:
                    if client.ping():
                        return
            time.sleep(0.02)
        words = (self._folder / "redis.log").read_text(errors="replace").strip().split("\n")
        self.stop()
        raise RedisUnavailableError(f"the service's Redis does not start: {words[-1][:200]}")

    def stop(self) -> None:
        """Shut it down; what it knows is on the disk."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._end_guard()

    def _end_guard(self) -> None:
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
            self._guard = None
