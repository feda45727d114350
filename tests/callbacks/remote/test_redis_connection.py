"""What the check at the start says of servers that a run cannot be written to."""

import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from redis import InvalidResponse
from schoolbell.callbacks import CallbackError, CSVLogger, RedisLogger, RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import find_program
from schoolbell.callbacks.remote.redis_connection import explained
from schoolbell.runner import Pipeline, send_command
from schoolbell.runner.cli.main import main
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable import generate


class Once(Stage):
    def run(self, state, budget):
        yield Batch(1, 1)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def assert_is_refused(url, words, capsys, prefix="schoolbell"):
    """Both entrances say so in one line, before anything is made."""
    logger = RedisLogger(url, prefix=prefix, announce=False)
    with pytest.raises(RedisUnavailableError, match=words) as caught:
        logger.check()
    assert "\n" not in str(caught.value)
    with pytest.raises(CallbackError, match=words):
        Pipeline([Once()]).fit(callbacks=[CSVLogger("log.csv"), logger], verbose=False)
    assert list(Path().iterdir()) == []
    generate(5).write("small.ectt")
    assert main(["fit", "small.ectt", "--redis", url]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["small.ectt"]


def test_a_cluster_is_told_to_be_one(new_redis, capsys):
    url = new_redis("--cluster-enabled", "yes").url
    assert_is_refused(url, "part of a Redis Cluster.* give the URL of a single server", capsys)


def test_a_cluster_that_has_all_keys_is_told_to_be_one_too(new_redis, capsys):
    server = new_redis("--cluster-enabled", "yes")
    server.client().execute_command("CLUSTER", "ADDSLOTS", *range(16384))
    deadline = time.monotonic() + 10
    while server.client().cluster("INFO")["cluster_state"] != "ok":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert_is_refused(server.url, "part of a Redis Cluster", capsys)


def test_a_cluster_that_does_not_say_what_it_is_is_found_out(new_redis, capsys):
    server = new_redis("--cluster-enabled", "yes")
    server.client().execute_command("ACL", "SETUSER", "default", "-info")
    assert_is_refused(server.url, "part of a Redis Cluster", capsys)


def test_a_replica_names_its_master(new_redis, capsys):
    master = new_redis()
    replica = new_redis("--replicaof", "127.0.0.1", str(master.port))
    words = f"read-only replica; give the URL of its master, 127.0.0.1:{master.port}"
    assert_is_refused(replica.url, words, capsys)


def test_a_replica_that_may_be_written_is_taken(new_redis):
    master = new_redis()
    replica = new_redis("--replicaof", "127.0.0.1", str(master.port), "--replica-read-only", "no")
    RedisLogger(replica.url).check()


def test_a_sentinel_names_what_it_watches(new_redis, tmp_path, capsys):
    master = new_redis()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    folder = tmp_path / "sentinel"
    folder.mkdir()
    configuration = folder / "sentinel.conf"
    watched = f"sentinel monitor week 127.0.0.1 {master.port} 1"
    configuration.write_text(f"port {port}\nbind 127.0.0.1\n{watched}\n")
    command = [str(find_program()), str(configuration), "--sentinel"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.02)
            words = rf"a Sentinel, .* that it watches: 127.0.0.1:{master.port} \(week\)"
            assert_is_refused(f"redis://127.0.0.1:{port}", words, capsys)
        finally:
            process.kill()


def test_a_server_that_wants_a_password_says_so(new_redis, capsys):
    url = new_redis("--requirepass", "secret").url
    assert_is_refused(url, "it asks for a password; check user and password", capsys)


def test_a_user_who_may_not_write_is_told(new_redis, capsys):
    server = new_redis()
    rights = ("on", ">pw", "~*", "+@read", "+@connection", "+info")
    server.client().execute_command("ACL", "SETUSER", "reader", *rights)
    url = f"redis://reader:pw@127.0.0.1:{server.port}"
    assert_is_refused(url, "ACL must allow the keys and commands of a run", capsys)


def test_a_user_who_may_write_one_job_alone_is_enough(new_redis):
    server = new_redis()
    rights = ("on", ">pw", "~schoolbell:job:monday*", "+@all", "-info")
    server.client().execute_command("ACL", "SETUSER", "alice", *rights)
    logger = RedisLogger(f"redis://alice:pw@127.0.0.1:{server.port}", announce=False)
    run = Pipeline([Once()]).fit(callbacks=logger, job_id="monday", verbose=False)
    assert run.status == "finished"
    assert server.client().hget("schoolbell:job:monday", "outcome") == "finished"


def test_a_database_that_is_not_there_is_told(redis_server, capsys):
    words = "the number at the URL's end must be that of one of the server's databases"
    assert_is_refused(f"{redis_server.url}/99", words, capsys)


def test_an_old_server_is_told_its_version(redis_server, monkeypatch, capsys):
    monkeypatch.setattr(
        "redis.Redis.info", lambda self: {"redis_version": "5.0.14", "redis_mode": "standalone"}
    )
    assert_is_refused(redis_server.url, r"it is version 5\.0\.14; 6\.2 or newer", capsys)


def test_a_server_that_speaks_tls_is_guessed_by_what_hiredis_says_too():
    error = InvalidResponse(r'Protocol error, got "\x15" as reply type byte')
    assert "one that speaks TLS needs rediss://" in str(explained(error, "redis://localhost"))


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x01\x00\x02\x02\x46"])
def test_a_server_that_speaks_tls_is_guessed(answer, capsys):
    with socket.create_server(("127.0.0.1", 0)) as server:

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
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        assert_is_refused(url, "one that speaks TLS needs rediss://", capsys)


def test_the_check_leaves_nothing_on_the_server(redis_server):
    RedisLogger(redis_server.url).check()
    assert redis_server.client().keys("*") == []


def test_who_reads_from_a_cluster_is_told_too(new_redis):
    url = new_redis("--cluster-enabled", "yes").url
    with pytest.raises(RedisUnavailableError, match="part of a Redis Cluster"):
        send_command("monday", "stop", url)
