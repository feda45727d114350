"""What is said where a package is missing, each hidden in a process of its own."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HIDE = "import sys; sys.modules[{0!r}] = None\n"
OWN = """
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, MapBatches, Stage, as_stage
from schoolbell.callbacks import *

class Mine(Stage):
    name = "mine"

    def run(self, state, budget):
        state.offer([1], 1.0)
        yield Batch(1, 1)

@as_stage
def reports(report):
    report(1, 1, cost=0.5, solution=[2])

stages = [Mine(), reports, MapBatches(sum, range(4))]
run = Pipeline(stages).fit(callbacks=[EarlyStopping(patience=9)], verbose={verbose!r})
assert run.cost == 0.5
"""
NEEDED = {
    "numba": ("import schoolbell.stages.timetable.search", None),
    "ortools": (
        "from schoolbell.stages.exact.solver import solver_of; solver_of(None, 0, 1)",
        None,
    ),
    "networkx": (
        "from schoolbell.stages.clustering.partition import louvain\nlouvain(None, 1.0, 0, None)",
        None,
    ),
    "gymnasium": ("from schoolbell.stages.timetable import RepairEnvironment", None),
    "greenlet": ("from schoolbell.runner import track; track([1])", None),
    "redis": ("from schoolbell.runner import watch; next(watch('1', url='redis://h'))", None),
    "pandas": ("from schoolbell.callbacks import History; History().to_frame()", None),
    "matplotlib": ("from schoolbell.callbacks import History; History().plot()", "plot"),
    "tensorboardX": ("from schoolbell.callbacks import TensorBoard; TensorBoard()", "tensorboard"),
    "mlflow": ("from schoolbell.callbacks import MLflowLogger; MLflowLogger()", "mlflow"),
    "apprise": ("from schoolbell.callbacks import Notify; Notify('json://localhost')", "notify"),
    "psutil": ("from schoolbell.callbacks import SystemMonitor; SystemMonitor()", "system"),
    "httpx": ("from schoolbell.runner.service import Client", "service"),
    "fastapi": (
        "from schoolbell.runner.cli.main import main; main(['serve', '--redis', 'redis://h'])",
        "service",
    ),
    "rq": (
        "from schoolbell.runner.cli.main import main; main(['worker', '--redis', 'redis://h'])",
        "service",
    ),
}


def run(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.mark.parametrize("package", NEEDED)
def test_a_missing_package_is_named_with_the_way_to_install_it(package: str) -> None:
    script, extra = NEEDED[package]
    told = run(HIDE.format(package) + script)
    wanted = f"'schoolbell[{extra}]'" if extra else package
    assert re.search(
        rf"needs {package}, which is not installed: pip install {re.escape(wanted)}( |\n)", told
    ), told


def test_every_extra_that_is_named_is_one_and_brings_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for package, (_, extra) in NEEDED.items():
        listed = project["optional-dependencies"][extra] if extra else project["dependencies"]
        names = [re.match(r"[\w-]+", one)[0].removesuffix("-skinny") for one in listed]
        # `pip install pandas` is as short as an extra would be.
        assert package in names or package == "pandas"


def test_a_pipeline_of_ones_own_imports_no_problems_packages_and_runs_without() -> None:
    heavy = ["numba", "ortools", "networkx", "gymnasium", "pandas", "matplotlib", "redis"]
    hidden = "".join(HIDE.format(one) for one in heavy)
    assert run(hidden + OWN.format(verbose="plain")).count("Error") == 0
    look = f"\nimport sys; print([one for one in {heavy!r} if one in sys.modules])"
    assert run(OWN.format(verbose=False) + look) == "[]\n"
