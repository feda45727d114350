"""A third problem, graph colouring, of docs/extend/problem.md: every engine and callback works."""

import re
import sys
from concurrent.futures import Executor, Future
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from schoolbell.callbacks import (
    AdjustOnPlateau,
    BackupAndRestore,
    BatchScheduler,
    Callback,
    CSVLogger,
    EarlyStopping,
    ProgbarLogger,
    RedisLogger,
    SolutionCheckpoint,
    TensorBoard,
    TerminateOnNaN,
    TerminateOnTarget,
    Timer,
)
from schoolbell.runner import Run
from schoolbell.stages import Budget, GeneticAlgorithm, LouvainClustering, RLRepair, State
from schoolbell.stages.problem import (
    Breedable,
    Clusterable,
    Divisible,
    Repairable,
    missing_methods,
    prepared_problem,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extend" / "problem.md"
ENGINES = ["clustering", "cp_sat", "ga", "rl"]


@pytest.fixture(scope="module")
def page() -> Any:
    """What the page's examples define, and the run that they end with."""
    text = PAGE.read_text(encoding="utf-8")
    module = ModuleType("graph_colouring")
    sys.modules[module.__name__] = module
    exec("\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)), vars(module))
    yield module
    del sys.modules[module.__name__]


def fit(page: Any, *callbacks: Callback, **options: Any) -> Run:
    settings = {"seed": 1, "workers": 2, "verbose": False} | options
    return page.pipeline().fit(page.colouring, callbacks=list(callbacks), **settings)


def outcome(run: Run) -> Any:
    rows = [{name: row[name] for name in row if name != "elapsed"} for row in run.history]
    return run.solution.tolist(), run.cost, rows


class Dying(Exception):
    pass


class DieAfter(Callback):
    """Ends the run as a kill would, after so many batches."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left < 0:
            raise Dying


@pytest.mark.parametrize("room", ["clustering", "exact", "evolution", "repair"])
def test_an_engine_imports_no_problem(room: str) -> None:
    stages = PAGE.parents[2] / "stages"
    for path in (stages / room).glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        imports = [line for line in lines if re.match(r"\s*(from|import) ", line)]
        assert not [one for one in imports if "timetable" in one or "university" in one], path


def test_it_has_all_that_the_protocols_ask_for(page: Any) -> None:
    for protocol in (Clusterable, Divisible, Breedable, Repairable):
        assert missing_methods(page.colouring, protocol) == []


def test_all_four_engines_colour_a_graph(page: Any) -> None:
    run = page.run
    assert [stage.name for stage in run.stages if stage.done] == ENGINES
    assert page.colouring.evaluate(run.solution) == (run.violations, run.cost)
    assert run.violations == 0
    costs = [row["cost"] for row in run.history if row["cost"] is not None]
    assert costs[-1] < costs[0]


def test_the_workers_do_not_matter(page: Any) -> None:
    assert outcome(fit(page, workers=1)) == outcome(page.run)


def test_every_callback_watches_it_and_changes_nothing(
    page: Any, tmp_path: Path, redis_server: Any
) -> None:
    callbacks = [
        CSVLogger(tmp_path / "log.csv"),
        TensorBoard(tmp_path / "board"),
        RedisLogger(redis_server.url, "colouring", announce=False),
        BackupAndRestore(tmp_path / "backup", save_freq=1, interval=None),
        SolutionCheckpoint(tmp_path / "best.txt"),
        ProgbarLogger(),
        EarlyStopping(monitor="cost", patience=10_000),
        AdjustOnPlateau("kempe", stage="ga", monitor="cost", patience=10_000),
        BatchScheduler("effort", lambda batch: 0.05, stage="cp_sat"),
        TerminateOnNaN(),
        TerminateOnTarget(-1.0),
        Timer(3600.0),
    ]
    run = fit(page, *callbacks)
    assert outcome(run) == outcome(page.run)
    lines = (tmp_path / "log.csv").read_text().splitlines()
    assert len(lines) == len(run.history) + 1
    assert list(dict.fromkeys(line.split(",")[0] for line in lines[1:])) == ENGINES
    assert list((tmp_path / "board").rglob("*tfevents*"))
    told = redis_server.client().hgetall("schoolbell:job:colouring")
    assert (told["status"], float(told["cost"])) == ("finished", run.cost)
    assert np.loadtxt(tmp_path / "best.txt").tolist() == run.solution.tolist()


def test_a_run_that_was_broken_off_in_any_engine_goes_on_as_if_it_had_not(
    page: Any, tmp_path: Path
) -> None:
    expected = outcome(page.run)
    for stage in ENGINES:
        own = [number for number, row in enumerate(expected[2]) if row["stage"] == stage]
        batches = own[len(own) // 2]

        def backup(batches: int = batches) -> BackupAndRestore:
            return BackupAndRestore(tmp_path / str(batches), save_freq=1, interval=None)

        with pytest.raises(Exception, match="DieAfter"):
            fit(page, backup(), DieAfter(batches))
        assert outcome(fit(page, backup())) == expected, f"in {stage}, after {batches} batches"


class Stop(Callback):
    """Stops the run in one of its stages."""

    def __init__(self, stage: str) -> None:
        super().__init__()
        self.stage = stage

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        if logs["stage"] == self.stage:
            self.pipeline.stop()


@pytest.mark.parametrize("stage", ENGINES)
def test_it_stops_in_any_engine_with_the_best_so_far(page: Any, stage: str) -> None:
    run = fit(page, Stop(stage))
    assert run.status == "stopped"
    assert run.history["stage"][-1] == stage
    assert (run.solution is None) == (stage == "clustering")


def test_a_time_limit_is_kept(page: Any) -> None:
    run = fit(page, time_limit=2.0)
    assert run.violations == 0
    assert run.seconds < 3.5


def test_operators_drawn_or_always_the_same_repair_too(page: Any) -> None:
    problem = page.colouring
    for policy in ("random", "cheapest"):
        state = State(problem, seed=1, executor=NoExecutor())
        worst = np.zeros(problem.n_items, np.int64)
        violations, cost = problem.evaluate(worst)
        state.offer(worst, cost, violations)
        stage = RLRepair(episodes=60, policy=policy)
        list(stage.run(state, Budget()))
        assert state.violations is not None
        assert state.violations < violations


def test_a_problem_that_lacks_something_is_told_what() -> None:
    state = State("a path", seed=1, executor=NoExecutor())
    with pytest.raises(TypeError, match=r"GeneticAlgorithm needs .*breed.*Breedable.*got str"):
        list(GeneticAlgorithm().run(state, Budget()))
    with pytest.raises(TypeError, match=r"node_sizes, edge_tasks, join_edges"):
        list(LouvainClustering().run(state, Budget()))


def test_what_a_stage_has_prepared_takes_the_place_of_the_problem(page: Any) -> None:
    state = State("a path", seed=1, executor=NoExecutor())
    state.prepared = page.colouring
    assert prepared_problem(state, Breedable, "GeneticAlgorithm") is page.colouring


def test_an_operator_that_it_lacks_is_refused_before_the_run(page: Any) -> None:
    pipeline = page.pipeline().set_params(rl__policy="swap")
    with pytest.raises(ValueError, match="policy must be one of learned, random, cheapest"):
        pipeline.fit(page.colouring, verbose=False)
    assert pipeline.run is None


class NoExecutor(Executor):
    """Does at once what is submitted."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future
