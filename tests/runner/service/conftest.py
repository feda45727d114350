"""Services of real processes, for the tests of a module."""

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from schoolbell.callbacks import RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import find_program
from schoolbell.stages.timetable import generate


def _service_processes() -> Any:
    """Import what the benchmarks use too; tests are in no package."""
    name = "service_processes"
    if name not in sys.modules:
        path = Path(__file__).with_name(f"{name}.py")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="module")
def new_service(tmp_path_factory: Any) -> Iterator[Callable[..., Any]]:
    """Starts services, which end with the module."""
    try:
        find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))
    begun: list[Any] = []

    def start(**options: Any) -> Any:
        begun.append(
            _service_processes().ServiceProcesses(tmp_path_factory.mktemp("service"), **options)
        )
        return begun[-1].start()

    yield start
    for one in begun:
        one.stop()


@pytest.fixture(scope="session")
def instance() -> Any:
    """A small instance."""
    return generate(4, seed=1)


def wait_for(condition: Callable[[], Any], seconds: float = 600.0) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """A function that waits until something holds."""
    return wait_for
