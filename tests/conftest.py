"""Fixtures that all tests share."""

import fcntl
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyte
import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Let the processes that tests start be interrupted, though the tests run in the background.

    A shell's background jobs ignore SIGINT, and hand that on to what they start.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


# Kernels that tests in many files need: under UD2, for usual days, where episodes of repair go
# on step by step too, and for long days; and those of universities.
COMPILE = """
from schoolbell.stages.timetable import Formulation
from schoolbell.stages.timetable.search.compile_kernels import compile_kernels
compile_kernels(Formulation.UD2{week})
"""
STEP = """
import numpy as np
from schoolbell.stages.timetable import generate
from schoolbell.stages.timetable.search import build_search_problem
from schoolbell.stages.timetable.search.repairing.repair_environment import RepairEnvironment
instance = generate(5)
nowhere = np.full(instance.n_lectures, -1)
environment = RepairEnvironment(build_search_problem(instance, Formulation.UD2), nowhere, nowhere)
environment.reset(seed=1)
environment.step(0)
"""
UNIVERSITIES = """
from schoolbell.stages.university.search import warm_up
warm_up.compile_kernels()
"""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile before a run of all tests what its processes would compile each for itself."""
    config = session.config
    everything = config.args_source == pytest.Config.ArgsSource.TESTPATHS
    if hasattr(config, "workerinput") or config.option.collectonly or not everything:
        return
    # Three at once, so that no processor waits for the longest of them.
    scripts = [COMPILE.format(week="") + STEP, COMPILE.format(week=", 18, 5"), UNIVERSITIES]
    commands = [[sys.executable, "-P", "-c", script] for script in scripts]
    for process in [subprocess.Popen(command, cwd=ROOT) for command in commands]:
        # One that fails will do so in a test too, which tells more.
        process.wait()


# Files of tests that take long. They come first, so that no process is left with one at the end.
LONG = (
    "tests/stages/timetable/search/test_timetable.py",
    "tests/runner/service/test_kills.py",
    "tests/test_notebooks.py",
    "tests/runner/cli/test_output.py",
    "tests/runner/cli/test_main.py",
    "tests/runner/service/test_running_jobs.py",
    "tests/runner/service/test_command_line.py",
    "tests/runner/service/test_fuzz.py",
    "tests/runner/test_executors.py",
    "tests/runner/engine/test_interrupts.py",
    "tests/runner/test_resume.py",
    "tests/runner/service/test_page.py",
    "tests/stages/search/test_sources.py",
    "tests/stages/timetable/constraints/search/test_days.py",
    "tests/callbacks/progress/test_terminal.py",
    "tests/stages/evolution/test_genetic_algorithm.py",
    "tests/stages/test_problem.py",
    "tests/runner/test_portable.py",
    "tests/runner/test_full_disk.py",
    "tests/callbacks/progress/test_notebook_display.py",
    "tests/callbacks/recording/test_mlflow_logger.py",
    "tests/runner/watching/test_watch.py",
    "tests/runner/test_random_runs.py",
    "tests/runner/test_units.py",
    "tests/stages/search/test_machinery.py",
    "tests/stages/university/exact/test_class_model.py",
    "tests/facade/test_facade.py",
    "tests/test_house.py",
    "tests/stages/timetable/model/test_malformed.py",
    "tests/stages/exact/test_cp_sat.py",
    "tests/stages/timetable/bounds/test_lower_bound.py",
    "tests/callbacks/recording/test_tensor_board.py",
    "tests/runner/engine/test_fresh_stages.py",
    "docs/guides/watching.md",
    "docs/extend/your_optimiser.md",
    "tests/stages/search/numba_interfaces/test_caching.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files."""
    places = {ROOT / name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


@pytest.fixture(autouse=True)
def ctrl_c_as_usual() -> None:
    """Give Ctrl-C to Python, whatever a library or a test before has made of it.

    A solver in C++ leaves the system's own action behind, of which Python knows nothing: the
    next test that sends the signal would end the process of the tests.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def quick_bound() -> Iterator[None]:
    """Spend little on a lower bound and on how fast the search is, where nothing depends on them.

    Without a time limit they would take more than all stages of a small run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schoolbell.stages.timetable.steps.load.BOUND_EFFORT", 0.01)
        patch.setattr("schoolbell.stages.timetable.breeding.anneal_speed.MOST_SECONDS", 0.01)
        yield


@pytest.fixture(scope="session")
def cbctt() -> Path:
    """Folder of the shared timetabling instances."""
    folder = ROOT.parent / "shared" / "data" / "cbctt"
    if not folder.is_dir():
        pytest.skip(f"the shared instances are not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def itc2019() -> Path:
    """Folder of the shared instances of whole universities."""
    folder = ROOT.parent / "shared" / "data" / "itc2019"
    if not folder.is_dir():
        pytest.skip(f"the shared instances are not there: {folder}")
    return folder


class RedisProcess:
    """A real Redis server that a test starts, kills, stops for a while and starts again."""

    def __init__(self, folder: Path, program: Path, *options: str, tls: bool = False) -> None:
        self.port = 2**16
        # In a cluster a server also listens 10,000 ports above.
        while self.port > 2**16 - 10_001:
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
    from schoolbell.callbacks.remote.embedded_redis import find_program

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


class PseudoTerminal:
    """A program in a terminal of some size, and what stands there, read by a terminal emulator."""

    def __init__(self, command: list[Any], columns: int, lines: int, **options: Any) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=10_000)
        self._stream = pyte.ByteStream(self.screen)
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        env = {**os.environ, "TERM": "xterm-256color", **options.pop("env", {})}
        for name in ("COLUMNS", "LINES", "REDIS_URL", "NO_COLOR"):
            env.pop(name, None)
        streams: dict[str, Any] = {"stdin": follower, "stdout": follower, "stderr": follower}
        self.process = subprocess.Popen(
            [str(part) for part in command],
            **(streams | options),
            env=env,
            start_new_session=True,
            # The terminal is the one that controls the program, as for keys and Ctrl-C it must be.
            preexec_fn=lambda: fcntl.ioctl(follower, termios.TIOCSCTTY, 0),
        )
        os.close(follower)
        #: All that stood there at some moment, a list of lines each.
        self.seen: list[list[str]] = []

    @property
    def lines(self) -> list[str]:
        """What stands on the screen, without the empty lines below."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip().split("\n")

    @property
    def scrollback(self) -> list[str]:
        """What has left the screen at its top."""
        columns = range(self.screen.columns)
        return ["".join(row[x].data for x in columns).rstrip() for row in self.screen.history.top]

    @property
    def text(self) -> str:
        """All that can be read, the scrollback too."""
        return "\n".join(self.scrollback + self.lines)

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._leader, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.screen.resize(lines, columns)

    def wait_for(self, condition: Callable[[], Any], seconds: float = 30.0) -> None:
        """Read until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.text
            assert self._read(0.1) or condition(), self.text

    def finish(self, seconds: float = 60.0) -> int:
        """Read to the end of the program and return its exit status."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            assert time.monotonic() < deadline, self.text
        return self.process.wait(5)

    def close(self) -> None:
        """End the program if it is there still."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        os.close(self._leader)

    def _read(self, seconds: float) -> bool:
        """Show what the program writes; return whether more may come."""
        if not select.select([self._leader], [], [], seconds)[0]:
            return self.process.poll() is None
        try:
            written = os.read(self._leader, 65536)
        except OSError:
            # So Linux tells that nobody has the other side any more.
            return False
        self._stream.feed(written)
        self.seen.append(self.lines)
        return bool(written)


@pytest.fixture
def terminal() -> Iterator[Callable[..., PseudoTerminal]]:
    """A function that starts a program in a terminal of so many columns and lines."""
    begun: list[PseudoTerminal] = []

    def start(command: list[Any], columns: int = 80, lines: int = 24, **options: Any) -> Any:
        begun.append(PseudoTerminal(command, columns, lines, **options))
        return begun[-1]

    yield start
    for one in begun:
        one.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A chromium without a window, driven by Playwright.

    No longer than for a module: as long as it is there, an event loop runs in this thread.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no chromium is on the PATH: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    # No connections of its own to anywhere.
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"]
    arguments += ["--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=arguments, timeout=180_000
        )
        yield chromium
        chromium.close()
