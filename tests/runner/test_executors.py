"""The same solution on every kind of executor, and what a run leaves behind on them."""

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from schoolbell.runner import Pipeline
from schoolbell.stages import MapBatches

# What a program does, in a process of its own where its executor wants that.
PROGRAM = """
from schoolbell.runner import timetabling_pipeline
from schoolbell.stages.timetable import generate


def fit(executor):
    pipeline = timetabling_pipeline()
    pipeline.set_params(ga__founder_moves=2000, ga__child_moves=1000, ga__generations=1)
    pipeline.set_params(ga__population=2, rl__episodes=20, cp_sat__effort=0.05)
    run = pipeline.fit(generate(12), seed=3, executor=executor, workers=2, verbose=False)
    return run.solution
"""
MPI = """
if __name__ == "__main__":
    from mpi4py.futures import MPIPoolExecutor

    with MPIPoolExecutor(2) as executor:
        print("same" if fit(executor) == fit(None) else "different")
"""
LONG = """
import time
from schoolbell.runner import Pipeline
from schoolbell.stages import MapBatches


def wait(batch):
    time.sleep(60)


def fit(executor):
    run = Pipeline([MapBatches(wait, range(4))]).fit(
        executor=executor, workers=2, time_limit=1.0, verbose=False
    )
    print(run.status, flush=True)


if __name__ == "__main__":
{start}
"""
START = {
    "processes": """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        fit(executor)
""",
    "loky": """
    from loky import get_reusable_executor

    fit(get_reusable_executor(2))
""",
    "dask": """
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        fit(client.get_executor(pure=False))
""",
}


def fit(executor):
    names = {}
    exec(PROGRAM, names)
    return names["fit"](executor)


@pytest.fixture(scope="module")
def in_threads():
    return fit(None)


@pytest.fixture(scope="module")
def dask():
    distributed = pytest.importorskip(
        "dask.distributed", reason="Dask is not installed: pip install 'schoolbell[dask]'"
    )
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, protocol="tcp", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_dask_s_workers_find_the_same_and_compile_nothing(in_threads, dask):
    before = kernels()
    # Also where equal calls may be taken for one.
    assert fit(dask.get_executor()) == in_threads
    assert kernels() == before


def kernels():
    """The compiled kernels in the cache, and when they were written."""
    import schoolbell.stages

    room = Path(schoolbell.stages.__file__).parent
    return {path: path.stat().st_mtime_ns for path in room.rglob("*.nb[ci]")}


def draw(batch):
    return random.random()


def test_dask_takes_no_two_calls_for_one(dask):
    stage = MapBatches(draw, [1] * 6)
    run = Pipeline([stage]).fit(executor=dask.get_executor(), verbose=False)
    assert len(set(run.state.results)) == 6


def test_dask_s_threads_find_the_same(in_threads):
    distributed = pytest.importorskip("dask.distributed", reason="Dask is not installed")
    with distributed.Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    ) as client:
        assert fit(client.get_executor()) == in_threads


def test_loky_s_processes_find_the_same(in_threads):
    loky = pytest.importorskip("loky", reason="loky is not installed: pip install loky")
    with loky.get_reusable_executor(2) as executor:
        assert fit(executor) == in_threads


def test_mpi_finds_the_same(tmp_path):
    mpi4py = pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install mpi4py")
    # Where `pip install mpich` puts it.
    lib = Path(mpi4py.__file__).parents[3]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(lib)}
    mpiexec = shutil.which("mpiexec") or shutil.which("mpiexec", path=lib.parent / "bin")
    if mpiexec is None:
        pytest.skip("there is no mpiexec, which comes with MPI: pip install mpich")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + MPI)
    done = subprocess.run(
        [mpiexec, "-n", "1", sys.executable, str(program)],
        capture_output=True,
        text=True,
        env=environment,
    )
    if "cannot load MPI" in done.stderr:
        pytest.skip("mpi4py finds no MPI library")
    assert done.stdout == "same\n", done.stderr


@pytest.mark.skipif(os.name == "nt", reason="a signal ends the tasks")
@pytest.mark.parametrize("kind", START)
def test_a_time_limit_ends_the_process_too_though_its_tasks_are_long(tmp_path, kind):
    for module in {"processes": "os", "dask": "dask.distributed"}.get(kind, kind).split():
        pytest.importorskip(module, reason=f"{kind} is not installed")
    program = tmp_path / "program.py"
    program.write_text(LONG.format(start=START[kind]))
    # A port that another cluster has is warned of.
    command = [sys.executable, "-W", "ignore:Port 8787", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.stdout.startswith("finished")
    # No worker tells of a task that it has lost, or is killed for its task.
    assert done.stderr == ""
