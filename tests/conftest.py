"""Fixtures that all tests share."""

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Let the processes that tests start be interrupted, though the tests run in the background.

    A shell's background jobs ignore SIGINT, and hand that on to what they start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cbctt() -> Path:
    """Folder of the shared timetabling instances."""
    folder = ROOT.parent / "shared" / "data" / "cbctt"
    if not folder.is_dir():
        pytest.skip(f"the shared instances are not there: {folder}")
    return folder


class RedisProcess:
    """A real Redis server that a test starts, kills, stops for a while and starts again."""

    def __init__(self, folder: Path, program: Path, *options: str, tls: bool = False) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        self._port_option = "--tls-port" if tls else "--port"
        self._arguments = [str(program), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
        self._arguments += [*(("--port", "0") if tls else ()), *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "RedisProcess":
        arguments = [*self._arguments, self._port_option, str(self.port)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert self.process.poll() is None, "redis-server did not start"
                assert time.monotonic() < deadline, "redis-server does not answer"
                time.sleep(0.01)
            else:
                return self

    def kill(self) -> None:
        """End it with SIGKILL; its data are gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def client(self, **options: Any) -> Any:
        import redis

        return redis.Redis(port=self.port, decode_responses=True, **options)


@pytest.fixture
def new_redis(tmp_path: Path) -> Iterator[Callable[..., RedisProcess]]:
    """Starts Redis servers with options of redis-server; they end with the test."""
    from schoolbell.callbacks import RedisUnavailableError
    from schoolbell.callbacks.embedded_redis import find_program

    try:
        program = find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))
    servers = []

    def start(*options: str, program: Path = program, tls: bool = False) -> RedisProcess:
        servers.append(RedisProcess(tmp_path, program, *options, tls=tls))
        return servers[-1].start()

    yield start
    for server in servers:
        server.kill()


@pytest.fixture
def redis_server(new_redis: Callable[..., RedisProcess]) -> RedisProcess:
    """A real Redis server for one test."""
    return new_redis()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A chromium without a window, driven by Playwright."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium is on the PATH: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # No connections of its own to anywhere.
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"]
    arguments += ["--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()
