"""A whole service of real processes: Redis, workers and the web application."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner.service import Client, Settings
from schoolbell.runner.service.serving.own_redis import OwnRedis

HERE = Path(__file__).parent
WEB = """
import sys
from schoolbell.runner.service.serving.serve import Address, serve
from schoolbell.runner.service.settings import Settings
from schoolbell.runner.service.web.tokens import Tokens
tokens = dict(pair.split(":") for pair in sys.argv[2:])
serve(Settings.from_environment(), Address(port=int(sys.argv[1])), Tokens(tokens), own_redis=False,
    workers=0, announce=lambda line: print(line, flush=True))
"""


class ServiceProcesses:
    """Redis, workers and web application of one service, each to be killed and started again."""

    def __init__(
        self, folder: Path, workers: int = 1, tokens: dict[str, str] | None = None, **more
    ):
        self.redis = OwnRedis(folder / "redis")
        options = {"pipeline": "service_pipeline:sums", "backup_seconds": 0.0, **more}
        self.settings = Settings(folder / "jobs", self.redis.url, **options)
        self.tokens = tokens or {}
        self.port = 0
        self.web: subprocess.Popen[str] | None = None
        self.workers: list[subprocess.Popen[bytes] | None] = [None] * workers

    def start(self) -> "ServiceProcesses":
        self.redis.start()
        for number in range(len(self.workers)):
            self.start_worker(number)
        self.start_web()
        return self

    @property
    def environment(self) -> dict[str, str]:
        found = {**os.environ, **self.settings.to_environment(), "PYTHONPATH": str(HERE)}
        return {name: value for name, value in found.items() if name != "REDIS_URL"}

    def start_web(self) -> None:
        pairs = [f"{name}:{token}" for name, token in self.tokens.items()]
        command = [sys.executable, "-c", WEB, str(self.port), *pairs]
        self.web = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert self.web.stdout is not None
        self.first_line = self.web.stdout.readline()
        self.port = int(self.first_line.rsplit(":", 1)[1].rstrip("/\n"))
        if self.tokens:
            self.second_line = self.web.stdout.readline()

    def start_worker(self, number: int = 0) -> None:
        command = [sys.executable, "-m", "schoolbell.runner.service.serving.worker_process"]
        self.workers[number] = subprocess.Popen(command, env=self.environment)

    def kill_web(self) -> None:
        assert self.web is not None
        self.web.kill()
        self.web.wait()

    def kill_worker(self, number: int = 0) -> None:
        worker = self.workers[number]
        assert worker is not None
        worker.kill()
        worker.wait()

    def kill_redis(self) -> None:
        assert self.redis.pid is not None
        os.kill(self.redis.pid, signal.SIGKILL)

    def job_process(self, job_id: str) -> int | None:
        """The process that works on a job, as it says itself."""
        try:
            pid = int((self.settings.folder / "jobs" / job_id / "lock").read_text().split()[1])
            os.kill(pid, 0)
        except (OSError, IndexError, ValueError):
            return None
        return pid

    def redis_client(self) -> Any:
        return connect(self.redis.url)

    def job_folders(self) -> list[Path]:
        return [path for path in (self.settings.folder / "jobs").iterdir() if path.name[0] != "."]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, name: str | None = None) -> Client:
        return Client(self.url, self.tokens[name] if name else None, timeout=300)

    def stop(self) -> None:
        for process in (self.web, *self.workers):
            if process is not None:
                process.terminate()
        for process in (self.web, *self.workers):
            if process is not None:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.redis.stop()
