"""A whole service on one machine: Redis, workers and the web application."""

import fcntl
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from ....callbacks.argument_error import ArgumentError
from ..settings import Settings
from ..web.app import create_app
from ..web.guard import LOOPBACK
from ..web.tokens import Tokens
from .own_redis import OwnRedis
from .work import PARENT_VARIABLE

PROCESS = "schoolbell.runner.service.serving.worker_process"
_LOOK_SECONDS = 0.5
# Open event streams are cut off after so long, workers killed after the second.
_GRACEFUL_SECONDS = 2
_WORKERS_SECONDS = 2.4


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is reached.

    Attributes
    ----------
    host, port
        Where it listens; port 0 for any that is free.
    root_path
        What a proxy takes off the path.
    trusted
        Addresses of proxies whose forwarded headers are believed.
    names
        What the service is called besides, without ports.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    root_path: str = ""
    trusted: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=())

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        if self.host == "localhost":
            return True
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False


def serve(
    settings: Settings,
    address: Address,
    tokens: Tokens,
    *,
    own_redis: bool,
    workers: int = 1,
    announce: Callable[[str], object] = print,
    open_page: bool = False,
) -> int | None:
    """Serve until SIGINT or SIGTERM, and end all that was started within 3 s.

    Parameters
    ----------
    settings
        The service's; the URL of Redis counts only without `own_redis`.
    address
        Where it is reached.
    tokens
        Who may use it.
    own_redis
        Start a Redis server, whose data are in the service's folder.
    workers
        How many to start.
    announce
        Called with each line for whoever started it.
    open_page
        Open the page in a browser.

    Returns
    -------
    int or None
        The signal.

    Raises
    ------
    ValueError
        For a host that others reach, without a token.
    OSError
        If the port or the folder is taken.
    """
    if not tokens and not address.is_loopback:
        raise ArgumentError(
            f"host {address.host} is reached by others, expected --token or --token-file with it"
        )
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        listener = stack.enter_context(_listener(address))
        if own_redis:
            stack.enter_context(_alone(settings.folder))
            server = OwnRedis(settings.folder / "redis")
            settings = replace(settings, redis=server.url)
            stack.callback(server.stop)
            server.start()
            stack.enter_context(_kept(lambda: server.runs or server.start()))
        crew = _Crew(settings, workers)
        stack.callback(crew.end)
        stack.enter_context(_kept(crew.look))
        hosts = None if tokens else (*LOOPBACK, address.host, *address.names)
        app = create_app(settings, tokens=tokens, hosts=hosts)
        url = f"http://{_shown(address.host)}:{listener.getsockname()[1]}{address.root_path}/"
        announce(f"schoolbell serves at {url}")
        page = url
        if tokens:
            owner = tokens.names[0]
            page = f"{url}login?key={app.state.service.sessions.new_link(owner)}"
            announce(f"the page, for {owner}, once and within 10 minutes: {page}")
        if open_page:
            opener = threading.Timer(_LOOK_SECONDS, webbrowser.open, (page,))
            opener.daemon = True
            opener.start()
        return _run(app, address, listener, crew)


def server_config(app: Any, address: Address) -> uvicorn.Config:
    """Return how uvicorn is to serve an application.

    Forwarded headers count only where they come from an address that is trusted.
    """
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        root_path=address.root_path,
        proxy_headers=bool(address.trusted),
        forwarded_allow_ips=list(address.trusted),
        server_header=False,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        lifespan="on",
    )


def _run(app: Any, address: Address, listener: socket.socket, crew: "_Crew") -> int | None:
    def at_exit() -> None:
        app.state.service.ending.set()
        crew.tell_to_end()

    server = _Server(server_config(app, address), at_exit)
    server.run(sockets=[listener])
    return server.number


class _Server(uvicorn.Server):
    """Tells others at once that the end has come."""

    def __init__(self, config: uvicorn.Config, at_exit: Callable[[], object]) -> None:
        super().__init__(config)
        self._at_exit = at_exit
        #: The signal that ended it.
        self.number: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not as uvicorn's own, which raises the signal again before all that was started has ended.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
        self.number = sig
        self._at_exit()


class _Crew:
    """The workers: as many as wanted, others in the place of those that end."""

    def __init__(self, settings: Settings, count: int) -> None:
        self._environment = {
            **os.environ,
            **settings.to_environment(),
            PARENT_VARIABLE: str(os.getpid()),
        }
        self._count = count
        self._ending = False
        self._deadline = 0.0
        self._lock = threading.Lock()
        self._processes: list[subprocess.Popen[bytes]] = []

    def look(self) -> None:
        """Start what is missing."""
        with self._lock:
            self._processes = [one for one in self._processes if one.poll() is None]
            while len(self._processes) < self._count and not self._ending:
                self._processes.append(self._start())

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-m", PROCESS],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for the service, which ends its workers.
            start_new_session=True,
        )

    def tell_to_end(self) -> None:
        """Ask the workers to have their jobs saved, and to end."""
        if not self._ending:
            self._ending = True
            self._deadline = time.monotonic() + _WORKERS_SECONDS
            for one in self._processes:
                with suppress(ProcessLookupError):
                    one.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Wait for that, and kill those that take too long."""
        self.tell_to_end()
        with self._lock:
            for one in self._processes:
                try:
                    one.wait(max(0.0, self._deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    one.kill()
                    one.wait()


@contextmanager
def _kept(look: Callable[[], object]) -> Iterator[None]:
    """Call a function at once, and again and again from a thread."""
    look()
    over = threading.Event()

    def work() -> None:
        while not over.wait(_LOOK_SECONDS):
            # Whatever it is, it is tried again.
            with suppress(Exception):
                look()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder whose Redis no other service starts too."""
    with (folder / "serve.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            words = "another service has this folder; choose another one, or give both a --redis"
            raise OSError(error.errno, words, str(folder)) from None
        yield


@contextmanager
def _listener(address: Address) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.host, address.port))
            # Whoever reads the address can connect at once, however long all else takes to begin.
            listener.listen()
        except OSError as error:
            place = f"{_shown(address.host)}:{address.port}"
            raise OSError(error.errno, error.strerror, place) from None
        yield listener


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
