"""What the benchmarks share."""

import importlib.util
import io
import json
import math
import shlex
import sys
import time
from pathlib import Path

import pytest
from schoolbell.stages.timetable import Course, Instance, Room, Solution

ROOT = Path(__file__).resolve().parents[2]


def load(name):
    """Import a benchmark, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


measuring = load("measuring")


@pytest.fixture
def task(tmp_path):
    courses = (Course("algebra", "noether", 2, 1, 32), Course("logic", "tarski", 1, 1, 9))
    instance = Instance("pair", 2, 2, courses, (Room("hall", 30), Room("cellar", 8)))
    folder = tmp_path / "a folder with 'quotes' & blanks; $(touch harm)"
    folder.mkdir()
    instance.write(folder / "pair.ectt")
    Solution.of_lectures(instance, [0, 1, 2], [0, 0, 0]).write(folder / "good.sol")
    Solution.of_lectures(instance, [0, 1, -1], [0, 0, -1]).write(folder / "short.sol")
    return measuring.Task(folder / "pair.ectt", "UD2", 2.0, 7)


def peer(task, program, *arguments):
    """Run a line of Python as the peer."""
    script = task.instance.with_name("peer.py")
    script.write_text(f"import pathlib, shutil, sys, time\n{program}\n", encoding="utf-8")
    command = [shlex.quote(sys.executable), shlex.quote(str(script)), *arguments]
    template = " ".join([*command, "{instance}", "{solution}", "{seconds}", "{seed}"])
    return measuring.run_peer(template, task, task.instance.parent)


def test_a_command_is_split_before_the_paths_are_filled_in(task):
    solution = task.instance.with_name("peer.sol")
    template = "solve --in={instance} '{solution}' -t {seconds} --seed {seed} '{not: ours}' {a}"
    assert measuring.peer_command(template, task, solution) == [
        "solve",
        f"--in={task.instance}",
        str(solution),
        "-t",
        "2",
        "--seed",
        "7",
        "{not: ours}",
        "{a}",
    ]


def test_a_path_that_looks_like_a_placeholder_is_not_filled_in_again(task):
    odd = measuring.Task(Path("/data/{seed}.ctt"), "UD2", 1.5, 3)
    command = measuring.peer_command("x {instance}{seed} {solution}", odd, Path("/{instance}"))
    assert command == ["x", "/data/{seed}.ctt3", "/{instance}"]


@pytest.mark.parametrize("template", ["solve {instance}", "solve {solution}"])
def test_a_command_must_take_the_instance_and_the_solution(task, template):
    with pytest.raises(ValueError, match="has no"):
        measuring.peer_command(template, task, Path("x.sol"))


def test_a_peers_timetable_is_evaluated_by_the_reference(task):
    outcome = peer(
        task, "shutil.copy(pathlib.Path(sys.argv[1]).with_name('good.sol'), sys.argv[2])"
    )
    assert (outcome.cost, outcome.violations, outcome.failure) == (4, 0, "")
    assert outcome.value == 4
    assert not (task.instance.parent / "harm").exists()


@pytest.mark.parametrize(
    ("program", "failure"),
    [
        ("print('no luck', file=sys.stderr); sys.exit(3)", "exit status 3: no luck"),
        ("", "wrote no solution file"),
        ("pathlib.Path(sys.argv[2]).write_text('logic nowhere 0 0')", "nowhere"),
        (
            "shutil.copy(pathlib.Path(sys.argv[1]).with_name('short.sol'), sys.argv[2])",
            "1 violations",
        ),
    ],
)
def test_a_peers_failure_is_told_and_counts_as_infinitely_dear(task, program, failure):
    outcome = peer(task, program)
    assert failure in outcome.failure
    assert math.isinf(outcome.value)


def test_a_peer_that_cannot_be_started_is_told(task):
    outcome = measuring.run_peer(
        "/no/such/program {instance} {solution}", task, task.instance.parent
    )
    assert outcome.failure == "cannot be started: No such file or directory"


def test_a_peer_that_overruns_is_killed_with_what_it_started(task, monkeypatch):
    monkeypatch.setattr(measuring, "GRACE", 0.0)
    monkeypatch.setattr(measuring, "GRACE_SECONDS", 0.5)
    started = time.monotonic()
    child = (
        "import subprocess; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    )
    outcome = peer(task, child)
    assert outcome.failure == "killed after 0 s"
    # Its child holds the pipe of stderr: had it been left alive, this would have waited for it.
    assert time.monotonic() - started < 30


def test_a_program_without_a_time_out_is_waited_for(task):
    solution = task.instance.with_name("good.sol")
    text = solution.read_text(encoding="utf-8")
    command = [sys.executable, "-c", f"open({str(solution)!r}, 'w').write({text!r})"]
    outcome = measuring._run(command, task, solution, task.instance.parent, time_out=None)
    assert (outcome.cost, outcome.failure) == (4, "")


def test_a_stale_solution_file_is_not_taken_for_the_peers(task):
    good = task.instance.with_name("good.sol")
    good.rename(good.with_name("peer.sol"))
    assert peer(task, "").failure == "wrote no solution file"


@pytest.mark.parametrize(
    ("cost", "known", "expected"),
    [(30, 24, 0.25), (24, 24, 0.0), (0, 0, 0.0), (3, 0, None), (9, None, None)],
)
def test_the_gap_is_the_part_above_the_best_known(cost, known, expected):
    assert measuring.gap(cost, known) == expected


def test_a_cost_that_is_infinite_has_no_gap():
    assert measuring.gap(math.inf, 24) is None


def test_a_median_with_few_failures_is_a_number_and_with_many_is_none():
    assert measuring.median([5, math.inf, 3]) == 5
    assert measuring.median([None, 4, None]) is None


def test_the_cost_after_a_stage_is_that_of_its_last_feasible_row(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "stage,cost,violations\nload,,\ncp_sat,900,3\ncp_sat,950,0\nga,400,0\nga,300,0\nrl,200,1\n",
        encoding="utf-8",
    )
    costs = measuring._stage_costs(log)
    assert costs == {"load": None, "cp_sat": 950, "ga": 300, "rl": None}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("markdown", "| a | b |\n| --- | --- |\n| x\\|y | 1.23 |\n|  | 12,346 |\n"),
        ("csv", "a,b\nx|y,1.2345\n,12345.6\n"),
    ],
)
def test_a_table_is_written_row_by_row(form, expected):
    out = io.StringIO()
    table = measuring.Table(["a", "b"], form, out)
    table.row("x|y", 1.2345)
    table.row(None, 12345.6)
    assert out.getvalue() == expected


def test_a_table_for_programs_is_an_object_a_line():
    out = io.StringIO()
    table = measuring.Table(["a", "b"], "json", out)
    table.row(None, 2)
    table.note("not for programs")
    assert json.loads(out.getvalue()) == {"a": None, "b": 2}


def test_a_formulation_is_judged_by_half_of_the_cost_of_the_other_timetable():
    judge = load("formulations").judge
    assert judge(20, 40, 0) == (0.5, "yes")
    assert judge(21, 40, 0) == (0.525, "no")
    assert judge(20, 20, 0) == (1.0, "(not over 20)")
    assert judge(39, 40, 1) == (None, "(the other is infeasible)")
    assert judge(None, 40, 0) == (None, "no feasible timetable")
