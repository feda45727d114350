"""The service by its commands, as somebody at a terminal uses it."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from schoolbell.callbacks import RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import find_program
from schoolbell.runner.cli.main import main
from schoolbell.runner.service import Settings
from schoolbell.runner.service.serving import serve as serving
from schoolbell.stages.timetable import generate

HERE = Path(__file__).parent
PROGRAM = [sys.executable, "-m", "schoolbell.runner.cli"]
TOKEN = "t" * 20


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """Starts `schoolbell serve` and returns its process and its URL."""
    try:
        find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    monkeypatch.delenv("REDIS_URL", raising=False)
    begun = []

    def start(*options):
        folder = ("--folder", str(tmp_path / "service"), "--port", "0")
        pipeline = ("--pipeline", "service_pipeline:sums")
        process = subprocess.Popen(
            [*PROGRAM, "serve", *folder, *pipeline, *options], stdout=subprocess.PIPE, text=True
        )
        begun.append(process)
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        return process, found[0]

    yield start
    for process in begun:
        process.terminate()
    for process in begun:
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_a_job_outlives_a_service_that_is_ended_and_started_again(
    serve, tmp_path, monkeypatch, capsys, until
):
    path = tmp_path / "week.ectt"
    generate(4, seed=1).write(path)
    process, url = serve("--token", TOKEN)
    assert "login?key=" in process.stdout.readline()
    monkeypatch.setenv("SCHOOLBELL_TOKEN", TOKEN)
    at = ["--url", url]
    settings = ["--set", "sums.units=80", "--set", "sums.hold_at=20"]
    assert main(["submit", str(path), "--name", "monday", *settings, *at]) == 0
    job = capsys.readouterr().out.strip()

    def listed():
        assert main(["jobs", *at]) == 0
        return capsys.readouterr().out

    until(lambda: re.search(rf"{job}  running  .*20/80", listed()))
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    (tmp_path / "service" / "go-20").touch()

    _, url = serve("--root-path", "/tt")
    at = ["--url", url]
    assert main(["watch", job, *at]) == 0
    assert f"{job}: finished" in capsys.readouterr().out
    assert main(["fetch", job, "--out", str(tmp_path / "out"), *at]) == 0
    assert (tmp_path / "out" / "log.csv").read_text().count("\n") == 81
    # It asks as a proxy does that has taken the path off.
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Origin": "https://tt.example",
        "Sec-Fetch-Site": "same-origin",
    }
    with httpx.Client(base_url=url, headers=headers) as proxy:
        assert "<title>" in proxy.get("/").text
        answer = proxy.post("/v1/jobs", json={"instance": path.read_text()})
        assert answer.headers["Location"] == f"/tt/v1/jobs/{answer.json()['id']}"


def test_a_worker_that_does_not_end_is_killed(tmp_path, monkeypatch):
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()"

    def start(crew):
        process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
        assert process.stdout.readline()
        return process

    monkeypatch.setattr(serving._Crew, "_start", start)
    monkeypatch.setattr(serving, "_WORKERS_SECONDS", 0.1)
    crew = serving._Crew(Settings(tmp_path, "redis://127.0.0.1:9"), 2)
    crew.look()
    crew.end()
    assert [one.returncode for one in crew._processes] == [-signal.SIGKILL] * 2


def test_who_reads_the_address_can_connect_at_once():
    with serving._listener(serving.Address(port=0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()


def test_a_host_that_others_reach_is_refused_without_a_token(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("SCHOOLBELL_TOKEN", raising=False)
    with pytest.raises(SystemExit) as end:
        main(["serve", "--host", "0.0.0.0", "--folder", str(tmp_path)])
    assert end.value.code == 2
    assert "expected --token or --token-file" in capsys.readouterr().err


def test_a_service_that_is_not_there_is_told_in_a_line(capsys):
    assert main(["jobs", "--url", "http://127.0.0.1:9"]) == 2
    assert "is `schoolbell serve` running there?" in capsys.readouterr().err


def test_a_file_of_tokens_that_others_can_read_is_refused(capsys, tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"anne {TOKEN}\n")
    path.chmod(0o640)
    with pytest.raises(SystemExit):
        main(["serve", "--token-file", str(path), "--folder", str(tmp_path)])
    told = capsys.readouterr().err
    assert "found the mode 0640, expected 0600" in told
    assert TOKEN not in told
