"""The command line, through `main` and through the installed program."""

import json
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import partialmethod
from pathlib import Path

import pandas as pd
import pytest
from schoolbell.callbacks import CSVLogger, LambdaCallback, RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import find_program
from schoolbell.runner import Pipeline, list_jobs, timetabling_pipeline
from schoolbell.runner.cli import commands
from schoolbell.runner.cli.main import main, program
from schoolbell.runner.engine import interrupts
from schoolbell.stages import (
    CPSAT,
    Batch,
    Finalize,
    GeneticAlgorithm,
    LouvainClustering,
    MapBatches,
    RLRepair,
    TrainAgent,
)
from schoolbell.stages.timetable import (
    Course,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
    generate,
)
from schoolbell.stages.timetable.search.compile_kernels import compile_kernels
from schoolbell.stages.timetable.search.repairing.repair_agent import new_repair_agent

pytestmark = pytest.mark.usefixtures("quick_bound")

PROGRAM = Path(sys.executable).with_name("schoolbell")
# What is not the matter of a test takes none of its time.
QUICK = ("--workers", "1", "--set", "cp_sat.rounds=0", "--set", "rl.episodes=5")
QUICK += ("--set", "ga.generations=1", "--set", "ga.population=2")
QUICK += ("--set", "ga.founder_moves=300", "--set", "ga.child_moves=300")
# All stages, each with little to do whatever the machine is busy with.
LITTLE = ("--workers", "1", "--set", "cp_sat.effort=0.05", "--set", "rl.episodes=5")
LITTLE += ("--set", "ga.generations=1", "--set", "ga.population=2")
LITTLE += ("--set", "ga.founder_moves=2000", "--set", "ga.child_moves=1000")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def instance() -> Instance:
    return generate(30, seed=3)


@pytest.fixture
def instance_file(instance, tmp_path) -> Path:
    path = tmp_path / "small.ectt"
    instance.write(path)
    return path


@pytest.fixture(scope="module")
def compiled() -> None:
    """The kernels are in numba's cache, so that no test waits for a compilation."""
    compile_kernels(Formulation.UD2)


def only_folder() -> Path:
    (folder,) = Path("runs").iterdir()
    return folder


def test_help_tells_of_every_command_and_exit_status(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(word in text for word in ("fit", "validate", "generate", "130"))


def test_version_is_the_installed_one(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert re.fullmatch(r"schoolbell \d+\.\d+\.\d+\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [["--help"], ["validate", "small.ectt", "none.sol"]])
def test_light_commands_load_no_heavy_library(arguments, instance_file):
    Path("none.sol").touch()
    script = f"""
import sys
from schoolbell.runner.cli.main import main
try:
    main({arguments!r})
except SystemExit:
    pass
print(sorted({{"numba", "ortools", "networkx", "rich", "tqdm"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["fit", "--help"], []])
def test_what_needs_no_timetable_imports_none_of_the_package(arguments):
    script = f"""
import sys
from schoolbell.runner.cli.main import main
try:
    main({arguments!r})
except SystemExit:
    pass
modules = ("", ".cli", ".engine", ".engine.interrupts", ".engine.switchboard")
light = {{f"schoolbell.runner{{one}}" for one in modules}}
# How packages import lazily.
light |= {{"schoolbell.moved", "schoolbell.stages", "schoolbell.stages.lazy"}}
# How a missing package is told.
light.add("schoolbell.stages.needing")
print(sorted({{"numpy", "asyncio", "urllib.request"}} & set(sys.modules)))
heavy = [one for one in sys.modules if one.startswith("schoolbell.") and one not in light]
print([one for one in heavy if not one.startswith("schoolbell.runner.cli.")])
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["[]", "[]"]


def test_each_module_of_commands_is_a_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    told = re.findall(r"^    ([a-z-]+)(?: |$)", capsys.readouterr().out, re.MULTILINE)
    modules = {one.name for one in pkgutil.iter_modules(commands.__path__)}
    assert {one.replace("-", "_") for one in told} == modules


BAD_ARGUMENTS = {
    "no command": [],
    "unknown command": ["solve"],
    "argument of several lines": ["fit", "small.ectt", "one\ntwo"],
    "missing file": ["fit", "absent.ctt"],
    "directory": ["fit", "."],
    "binary": ["fit", "binary.ctt"],
    "empty file": ["fit", "empty.ctt"],
    "unknown formulation": ["fit", "small.ectt", "--formulation", "UD9"],
    "negative time limit": ["fit", "small.ectt", "--time-limit", "-1"],
    "time limit that is no number": ["fit", "small.ectt", "--time-limit", "nan"],
    "negative seed": ["fit", "small.ectt", "--seed", "-1"],
    "no workers": ["fit", "small.ectt", "--workers", "0"],
    "board onto a file": ["fit", "small.ectt", "--tensorboard", "small.ectt"],
    "backup below a file": ["fit", "small.ectt", "--backup", "small.ectt/saved"],
    "job of two words": ["fit", "small.ectt", "--job-id", "two words"],
    "setting without a value": ["fit", "small.ectt", "--set", "ga.population"],
    "setting of an unknown stage": ["fit", "small.ectt", "--set", "annealing.moves=3"],
    "setting of an unknown parameter": ["fit", "small.ectt", "--set", "ga.colour=3"],
    "setting to an impossible value": ["fit", "small.ectt", "--set", "ga.population=0"],
    "setting of another type": ["fit", "small.ectt", "--set", "ga.population=many"],
    "solution in a missing folder": ["fit", "small.ectt", "--out", "absent/x.sol"],
    "solution onto a folder": ["fit", "small.ectt", "--out", "."],
    "page in a missing folder": ["fit", "small.ectt", "--html", "absent/x.html"],
    "log in a missing folder": ["fit", "small.ectt", "--csv", "absent/x.csv"],
    "days too long to be searched": ["fit", "long.ectt"],
    "validate without a solution": ["validate", "small.ectt"],
    "validate a missing solution": ["validate", "small.ectt", "absent.sol"],
    "validate another format": ["validate", "small.ectt", "small.ectt"],
    "generate nothing": ["generate", "--courses", "0"],
    "generate into a missing folder": ["generate", "--courses", "30", "--out", "absent/x.ectt"],
    "generate an unknown format": ["generate", "--courses", "30", "--out", "x.json"],
}


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS.values(), ids=BAD_ARGUMENTS)
def test_bad_input_ends_in_one_line_and_status_2(arguments, instance, instance_file, capsys):
    Path("binary.ctt").write_bytes(bytes(range(256)))
    Path("empty.ctt").touch()
    short, long = (f"Periods_per_day: {slots}" for slots in (instance.periods_per_day, 65))
    Path("long.ectt").write_text(instance_file.read_text().replace(short, long))
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    output = capsys.readouterr()
    assert status == 2
    assert output.out == ""
    assert re.fullmatch(r"schoolbell[^\n]+\n", output.err)
    assert not Path("runs").exists()


@pytest.fixture
def pair_file() -> Path:
    courses = (Course("algebra", "noether", 2, 2, 40), Course("logic", "tarski", 1, 1, 9))
    Instance("pair", 2, 2, courses, (Room("hall", 30), Room("loft", 9))).write("pair.ectt")
    return Path("pair.ectt")


def write_solution(*lines: str) -> str:
    Path("week.sol").write_text("".join(f"{line}\n" for line in lines))
    return "week.sol"


def test_validate_prints_cost_and_violations_of_a_feasible_timetable(pair_file, capsys):
    solution = write_solution("algebra hall 0 0", "algebra hall 1 0", "logic loft 0 0")
    assert main(["validate", str(pair_file), solution]) == 0
    evaluation = evaluate(Solution.read(solution, Instance.read(pair_file)), "UD2")
    assert (evaluation.violations, evaluation.cost) == (0, 20)
    assert capsys.readouterr().out == f"{evaluation}\n"


def test_validate_counts_by_the_formulation(pair_file, capsys):
    solution = write_solution("algebra hall 0 0", "algebra hall 0 1", "logic loft 0 0")
    main(["validate", str(pair_file), solution, "--formulation", "ud3"])
    text = capsys.readouterr().out
    assert "UD3" in text
    assert "StudentMinMaxLoad" in text
    assert "MinWorkingDays" not in text


def test_validate_tells_an_infeasible_timetable_in_words_if_asked(pair_file, capsys):
    solution = write_solution("algebra hall 0 0", "logic hall 0 0")
    assert main(["validate", str(pair_file), solution]) == 1
    short = capsys.readouterr().out
    assert main(["validate", str(pair_file), solution, "--details"]) == 1
    text = capsys.readouterr().out
    assert text.endswith(short)
    assert "[H(1)] Lectures" in text
    assert "[H(1)] RoomOccupancy" in text


@pytest.fixture
def crowded_file() -> Path:
    courses = tuple(Course(name, f"t{name}", 3, 1, 10) for name in "abc")
    Instance("crowd", 1, 5, courses, (Room("hall", 30),)).write("crowd.ectt")
    return Path("crowd.ectt")


def test_fit_of_what_cannot_be_feasible_says_why_and_exits_with_1(crowded_file):
    command = [PROGRAM, "fit", crowded_file, *LITTLE]
    done = subprocess.run(command, capture_output=True, text=True)
    reason = "9 lectures for 5 places (1 room, 5 periods)"
    assert done.returncode == 1
    assert "finished with 4 violations left" in done.stdout
    assert reason in done.stdout
    # At once: before the stage that finds it out has ended.
    assert reason in done.stderr.partition("3/3")[0]
    assert reason in (only_folder() / "timetable.html").read_text()


def test_a_timetable_with_violations_makes_the_exit_status_1(pair_file, monkeypatch, capsys):
    def run(self, state, budget):
        yield from ()

    for stage in (CPSAT, GeneticAlgorithm, RLRepair):
        monkeypatch.setattr(stage, "run", run)
    broken = write_solution("algebra hall 0 0", "logic hall 0 0")
    monkeypatch.setattr(Pipeline, "fit", partialmethod(Pipeline.fit, initial=broken))
    assert main(["fit", str(pair_file)]) == 1
    assert "finished with 2 violations left" in capsys.readouterr().out


def test_validate_says_why_no_timetable_can_be_feasible(crowded_file, capsys):
    command = ["validate", str(crowded_file), write_solution("a hall 0 0")]
    assert main([*command, "--details"]) == 1
    line = "no timetable can be feasible: 9 lectures for 5 places (1 room, 5 periods)"
    assert line in capsys.readouterr().out.splitlines()


def test_fit_help_tells_the_exit_statuses(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    assert re.search(r"^  0 +done; for fit and validate: the timetable is feasible$", text, re.M)
    assert re.search(r"^  130, 143, 129$", text, re.M)


def test_fit_help_tells_what_formulations_mean_and_where_the_names_for_set_are(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--help"])
    text = capsys.readouterr().out
    for name in ("UD1", "UD2", "UD3", "UD4", "UD5"):
        weights = Formulation.of(name).weights
        told = text.partition(f"  {name}  ")[2].partition("\n  UD")[0].partition("\n\n")[0]
        assert sorted(map(int, re.findall(r" (\d+)", told))) == sorted(weights.values())
    assert "fit --parameters" in text


def test_the_parameters_for_set_are_listed_with_their_meaning(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["fit", "--parameters"])
    lines = capsys.readouterr().out.splitlines()
    known = timetabling_pipeline().get_params()
    told = {re.match(r"(\w+)\.(\w+)=(\S+)", line).expand(r"\1__\2") for line in lines}
    assert told == {name for name in known if not name.startswith(("load", "finalize"))}
    assert all(re.search(r"=.*\S  +[A-Z\"]\S* ", line) for line in lines)


@pytest.mark.usefixtures("compiled")
def test_fit_calls_the_run_as_it_is_told_and_keeps_what_is_there(instance_file, capsys):
    command = [
        "fit",
        str(instance_file),
        *QUICK,
        "--job-id",
        "monday",
        "--quiet",
    ]
    assert main([*command, "--tensorboard", "logs/monday"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("monday: finished")
    assert "runs/monday/solution.sol" in text
    assert "logs/monday" in text
    assert list(Path("logs/monday").glob("events.*"))
    before = Path("runs/monday/log.csv").read_bytes()
    assert main(command) == 2
    output = capsys.readouterr()
    assert re.fullmatch(r"schoolbell: runs/monday: there is a run of this name .*\n", output.err)
    assert Path("runs/monday/log.csv").read_bytes() == before


@pytest.mark.usefixtures("compiled")
def test_a_named_run_goes_on_from_its_backup_in_its_folder(instance_file, monkeypatch):
    command = [
        "fit",
        str(instance_file),
        *QUICK,
        "--job-id",
        "monday",
        "--quiet",
    ]
    command += ["--backup", "saved"]

    def run(self, state, budget):
        raise KeyboardInterrupt
        yield

    with monkeypatch.context() as patch:
        patch.setattr(GeneticAlgorithm, "run", run)
        assert main(command) == 130
    assert main(command) == 0


def test_what_is_not_installed_for_tensorboard_is_told_before_the_run(
    instance_file, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(SystemExit, match="2"):
        main(["fit", str(instance_file), "--tensorboard", "logs"])
    assert "pip install 'schoolbell[tensorboard]'" in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["fti"], "did you mean 'fit'?"),
        (["fit", "small.ectt", "--time-limt", "3"], "did you mean '--time-limit'?"),
        (["watch", "monday", "--redsi=redis://x"], "did you mean '--redis'?"),
        (["fit", "small.ectt", "--set", "ga.populaton=3"], "did you mean 'population'?"),
        (["fit", "small.ectt", "--set", "gaa.population=3"], "did you mean 'ga'?"),
        (["fit", "small.ectt", "--formulation", "U2"], "did you mean 'UD2'?"),
    ],
)
def test_a_slip_on_the_command_line_is_told_with_what_was_meant(
    arguments, advice, instance_file, capsys
):
    try:
        status = main(arguments)
    except SystemExit as end:
        status = end.code
    assert status == 2
    error = capsys.readouterr().err
    assert advice in error
    assert error.count("\n") == 1


@pytest.mark.usefixtures("compiled")
def test_a_quiet_run_that_finds_nothing_says_where_its_files_are(
    instance_file, monkeypatch, capsys
):
    def run(self, state, budget):
        yield from ()

    for stage in (CPSAT, GeneticAlgorithm, RLRepair):
        monkeypatch.setattr(stage, "run", run)
    assert main(["fit", str(instance_file), *QUICK, "--quiet"]) == 1
    assert str(only_folder() / "run.json") in capsys.readouterr().out


def test_generate_prints_the_instance_that_it_would_write(capsys):
    assert main(["generate", "--courses", "30", "--seed", "5"]) == 0
    printed = capsys.readouterr().out
    assert main(["generate", "--courses", "30", "--seed", "5", "--out", "x.ectt"]) == 0
    assert Path("x.ectt").read_text() == printed
    assert Instance.read("x.ectt") == generate(30, seed=5)


def test_a_closed_pipe_ends_what_is_only_printed_quietly():
    with closed_pipe() as writer:
        command = [PROGRAM, "generate", "--courses", "30"]
        done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    assert (done.stderr, done.returncode) == (b"", 141)


@contextmanager
def closed_pipe():
    """A pipe to write to that nobody reads, as when ``head`` has seen enough."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


ALL_FILES = {"solution.sol", "timetable.html", "timetable.csv", "log.csv", "run.json"}


@pytest.mark.parametrize("closed", ["stdout", "stdout and stderr"])
def test_fit_does_not_fail_because_nobody_reads_its_output(closed, compiled, pair_file):
    # Its best timetable is soon proved to be the best.
    command = [PROGRAM, "fit", pair_file, "--time-limit", "5"]
    with closed_pipe() as writer:
        err = writer if closed == "stdout and stderr" else subprocess.PIPE
        done = subprocess.run(command, stdout=writer, stderr=err, text=True, check=False)
    assert done.returncode == 0
    # The last line is the run's.
    assert done.stderr is None or " Run finished in " in done.stderr.splitlines()[-1]
    assert {path.name for path in only_folder().iterdir()} == ALL_FILES


def test_fit_leaves_its_files_and_prints_the_cost(compiled, instance, instance_file, capsys):
    assert main(["fit", str(instance_file), *LITTLE, "--seed", "1"]) == 0
    output = capsys.readouterr()
    folder = only_folder()
    assert {path.name for path in folder.iterdir()} == ALL_FILES
    evaluation = evaluate(Solution.read(folder / "solution.sol", instance), "UD2")
    assert str(evaluation) in output.out
    assert all(str(folder / name) in output.out for name in ALL_FILES)
    assert "Finalizing" in output.err
    assert len(pd.read_csv(folder / "timetable.csv")) == instance.n_lectures
    log = pd.read_csv(folder / "log.csv")
    # Others have no batch where the timetable is soon proved to be optimal.
    assert {"load", "clustering", "cp_sat", "finalize"} <= set(log.stage)
    assert (log.violations.iloc[-1], log.cost.iloc[-1]) == (evaluation.violations, evaluation.cost)


def test_fit_puts_files_where_it_is_told(compiled, instance, instance_file, tmp_path, capsys):
    options = {"--out": "a.sol", "--html": "b.html", "--csv": "c.csv"}
    arguments = [part for option in options.items() for part in option]
    assert main(["fit", str(instance_file), *LITTLE, "--quiet", *arguments]) == 0
    assert capsys.readouterr().err == ""
    assert len(Solution.read("a.sol", instance)) == instance.n_lectures
    assert "<html" in Path("b.html").read_text()
    assert len(pd.read_csv("c.csv")) > 5
    assert {path.name for path in only_folder().iterdir()} == {"timetable.csv", "run.json"}


def test_fit_starts_a_server_and_prints_how_to_watch(compiled, instance_file, capsys, monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)
    try:
        find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))
    told = []

    def run(self, state, budget):
        told.extend(list_jobs(re.findall(r"--redis (\S+)", capsys.readouterr().err)[0]))
        yield from ()

    monkeypatch.setattr(GeneticAlgorithm, "run", run)
    assert main(["fit", str(instance_file), *QUICK, "--redis"]) == 0
    (job,) = told
    assert (job.job_id, job.status) == (only_folder().name, "running")
    with pytest.raises(SystemExit):
        main(["fit", "--redis", str(instance_file)])
    assert "goes behind the instance" in capsys.readouterr().err


def test_fit_passes_the_settings_on(compiled, instance_file, monkeypatch):
    seen = {}

    def run(self, state, budget):
        seen.update(self.get_params())
        yield from ()

    monkeypatch.setattr(GeneticAlgorithm, "run", run)
    settings = ["--set", "ga.population=5", "--set", "ga.generations=7"]
    main(["fit", str(instance_file), *QUICK, "--quiet", *settings])
    assert (seen["population"], seen["generations"]) == (5, 7)


def test_a_failed_run_writes_the_best_so_far_and_tells_why_in_one_line(
    compiled, instance, instance_file, monkeypatch, capsys
):
    def run(self, state, budget):
        raise ArithmeticError("the genes ran out")
        yield

    monkeypatch.setattr(GeneticAlgorithm, "run", run)
    assert main(["fit", str(instance_file), *QUICK, "--quiet"]) == 1
    output = capsys.readouterr()
    assert output.err == "schoolbell: failed: ArithmeticError: the genes ran out\n"
    assert len(Solution.read(only_folder() / "solution.sol", instance)) > 0
    assert main(["fit", str(instance_file), *QUICK, "--quiet", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("found", [True, False])
@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_a_failed_run_tells_its_error_once(
    found, options, compiled, instance_file, monkeypatch, capsys
):
    def run(self, state, budget):
        raise ArithmeticError("the genes ran out")
        yield

    monkeypatch.setattr(GeneticAlgorithm if found else LouvainClustering, "run", run)
    assert main(["fit", str(instance_file), *QUICK, *options]) == 1
    output = capsys.readouterr()
    why = "failed: ArithmeticError: the genes ran out"
    told = why if found else f"no timetable was found, {why}"
    assert output.err.splitlines()[-1] == f"schoolbell: {told}"
    assert output.err.count("the genes ran out") == 1
    assert "the genes ran out" not in output.out


@pytest.mark.parametrize("options", [[], ["--quiet"]])
def test_a_failed_training_tells_its_error_once(options, monkeypatch, capsys):
    def run(self, state, budget):
        raise ArithmeticError("nothing to learn")
        yield

    monkeypatch.setattr(TrainAgent, "run", run)
    assert main(["train-agent", "--out", "agent.npz", *options]) == 1
    assert capsys.readouterr().err.count("nothing to learn") == 1


SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
ANY = pytest.mark.parametrize(("number", "status"), SIGNALS)


@pytest.fixture
def default_actions():
    """Have signals do what they do by default, even where they were ignored before the tests."""
    actions = (signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL)
    numbers = [number for number, _ in SIGNALS]
    before = [signal.signal(*pair) for pair in zip(numbers, actions, strict=True)]
    yield
    for pair in zip(numbers, before, strict=True):
        signal.signal(*pair)


def send(number):
    """Send a signal to this process, unless it would be the end of the tests."""
    assert signal.getsignal(number) is not signal.SIG_DFL
    signal.raise_signal(number)


def sending(number, before=None):
    """Return a stage's `run` that gets a signal after its first unit."""

    def run(self, state, budget):
        if before is not None:
            before(state)
        yield Batch(1, 2)
        send(number)
        yield Batch(2, 2)

    return run


def words(number):
    return "interrupted" if number == signal.SIGINT else f"interrupted by {number.name}"


@ANY
def test_a_signal_ends_the_run_and_writes_the_best_so_far(
    number, status, default_actions, compiled, instance, instance_file
):
    command = [PROGRAM, "fit", str(instance_file), "--time-limit", "600", "--workers", "1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "cost" in line:
                break
        process.send_signal(number)
        out, rest = process.communicate(timeout=60)
        assert (process.wait(), rest[-1500:]) == (status, rest[-1500:])
    assert "Traceback" not in rest
    assert f": {words(number)} after " in out.splitlines()[0]
    folder = only_folder()
    assert {path.name for path in folder.iterdir()} == ALL_FILES
    assert len(Solution.read(folder / "solution.sol", instance)) == instance.n_lectures
    assert json.loads((folder / "run.json").read_text())["outcome"]["status"] == "interrupted"


@ANY
def test_a_signal_before_the_run_is_told_in_one_line(
    number, status, default_actions, instance_file, monkeypatch, capsys
):
    monkeypatch.setattr(Instance, "read", lambda path: send(number))
    assert main(["fit", str(instance_file)]) == status
    assert capsys.readouterr().err == f"schoolbell: {words(number)}\n"
    assert not Path("runs").exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.usefixtures("compiled", "default_actions")
def test_a_signal_while_the_files_are_written_waits_for_them(instance_file, monkeypatch, capsys):
    def fail(self, state, budget):
        raise ArithmeticError
        yield

    def write(self, evaluation):
        send(signal.SIGTERM)
        return written(self, evaluation)

    written = Finalize.write
    # The last stage does not come to write them.
    monkeypatch.setattr(GeneticAlgorithm, "run", fail)
    monkeypatch.setattr(Finalize, "write", write)
    assert main(["fit", str(instance_file), *QUICK, "--quiet"]) == 143
    assert {path.name for path in only_folder().iterdir()} == ALL_FILES
    assert "schoolbell: failed: ArithmeticError" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "status"), SIGNALS[:2])
@pytest.mark.usefixtures("compiled", "default_actions")
def test_a_second_signal_waits_for_no_file(number, status, instance_file, monkeypatch, capsys):
    # As if time went by between the two.
    for name in ("_AT_ONCE", "_SESSION_ENDS"):
        monkeypatch.setattr(interrupts, name, 0.0)
    monkeypatch.setattr(GeneticAlgorithm, "run", sending(number))
    monkeypatch.setattr(Finalize, "write", lambda self, evaluation: send(number))
    assert main(["fit", str(instance_file), *QUICK, "--quiet"]) == status
    assert {path.name for path in only_folder().iterdir()} == {"log.csv", "run.json"}
    assert capsys.readouterr().err == f"schoolbell: {words(number)}\n"


@ANY
@pytest.mark.usefixtures("default_actions")
def test_a_signal_ends_a_training_and_what_was_learned_is_written(
    number, status, monkeypatch, capsys
):
    def learn(state):
        state.agent = new_repair_agent()

    monkeypatch.setattr(TrainAgent, "run", sending(number, learn))
    assert main(["train-agent", "--out", "agent.npz", "--quiet"]) == status
    assert Path("agent.npz").exists()
    assert capsys.readouterr().out.rstrip().endswith(words(number))


@ANY
@pytest.mark.usefixtures("default_actions")
def test_other_commands_tell_of_a_signal_by_their_exit_status(
    number, status, instance_file, monkeypatch, capsys
):
    monkeypatch.setattr(
        "schoolbell.runner.watching.job_control.list_jobs", lambda *a, **k: send(number)
    )
    assert main(["jobs", "--redis", "redis://localhost"]) == status
    assert capsys.readouterr().err == f"schoolbell: {words(number)}\n"
    stage = MapBatches(len, range(3))
    Pipeline([stage]).fit(callbacks=CSVLogger("log.csv"), verbose=False)
    display = LambdaCallback(on_batch_end=lambda *_: send(number))
    monkeypatch.setattr("schoolbell.callbacks.ProgbarLogger", lambda: display)
    assert main(["replay", "log.csv"]) == status
    assert ": interrupted in " in capsys.readouterr().out
    monkeypatch.setattr("schoolbell.stages.timetable.generate", lambda *a, **k: send(number))
    assert main(["generate", "--courses", "5"]) == status


ENDING = """
import atexit, gc, sys
from schoolbell.runner.cli.main import program

atexit.register(lambda: print("frozen", gc.get_freeze_count() > 0))
sys.argv = ["schoolbell", "generate", "--courses", "5", "--out", "small.ctt"]
program()
"""


def test_the_program_does_not_tidy_its_memory_up_at_its_end(tmp_path):
    command = [sys.executable, "-c", ENDING]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "frozen True\n"


def test_the_time_limit_counts_from_the_start_of_the_process(monkeypatch):
    begun = []
    monkeypatch.setattr(
        "schoolbell.runner.cli.main.main", lambda started: begun.append(started) or 0
    )
    with pytest.raises(SystemExit, match="0"):
        program()
    # What this process has used of a processor belongs to its past.
    assert begun[0] <= time.monotonic() - time.process_time() + 0.01


@pytest.mark.usefixtures("compiled")
def test_fit_counts_its_time_limit_from_where_it_is_told(instance_file, monkeypatch):
    seen = []

    def run(self, state, budget):
        seen.append(budget.seconds)
        yield from ()

    monkeypatch.setattr(GeneticAlgorithm, "run", run)
    # Of a limit of 1000 seconds, 990 had gone when the command began.
    command = ["fit", str(instance_file), *QUICK, "--time-limit", "1000", "--quiet"]
    main(command, started=time.monotonic() - 990)
    assert seen[0] < 10


def test_generate_writes_the_older_format_too(tmp_path):
    path = tmp_path / "small.ctt"
    assert main(["generate", "--courses", "30", "--seed", "3", "--out", str(path)]) == 0
    assert Instance.read(path) == generate(30, seed=3).without_extensions()


def test_a_file_that_is_no_timings_is_told_in_one_line_and_no_run_is_begun(instance_file, capsys):
    Path("timings.json").write_text("{}")
    assert main(["fit", str(instance_file), "--timings", "timings.json"]) == 2
    assert capsys.readouterr().err.startswith("schoolbell: timings.json: found")
    assert not Path("runs").exists()


@pytest.mark.usefixtures("compiled")
def test_fit_keeps_its_timings(instance_file):
    command = ["fit", str(instance_file), *QUICK, "--quiet"]
    assert main([*command, "--timings", "timings.json"]) == 0
    assert '"ga"' in Path("timings.json").read_text()
