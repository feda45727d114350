"""The Dockerfile and compose.yaml, as far as they can be tested without Docker."""

import re
import shlex
from pathlib import Path

import pytest
from schoolbell.runner.cli.main import COMMANDS, _parser

ROOT = Path(__file__).resolve().parents[3]
yaml = pytest.importorskip("yaml")


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]


def test_no_container_is_root_or_can_write_its_root(services):
    assert set(services) == {"redis", "web", "worker"}
    for name, service in services.items():
        assert service["read_only"], name
        assert str(service["user"]) not in ("0", "root"), name
        assert service["cap_drop"] == ["ALL"], name
    assert services["worker"]["deploy"]["replicas"] == 2
    assert "yes" in services["redis"]["command"]


def test_each_container_is_asked_how_it_is(services):
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "HEALTHCHECK" in dockerfile
    assert all("healthcheck" in services[name] for name in ("redis", "worker"))
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_the_commands_of_the_containers_are_understood(services):
    dockerfile = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    own = re.search(r"^CMD (\[.*\])$", dockerfile, re.M)
    commands = [yaml.safe_load(own[1]), services["web"]["command"], services["worker"]["command"]]
    for line in re.findall(r"bin/(schoolbell [^&\n]*)", dockerfile):
        commands.append(shlex.split(line))
    assert len(commands) == 5 and COMMANDS
    for command in commands:
        assert command[0] == "schoolbell"
        _parser().parse_args(command[1:])
