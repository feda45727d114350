import gzip

import pytest
from schoolbell.runner.cli.main import main
from schoolbell.runner.problems.problem_kind import problem_kind
from schoolbell.stages.university import (
    Instance,
    Solution,
    evaluate,
    generate,
    generate_with_solution,
)


def test_what_a_file_holds_tells_its_kind(tmp_path):
    for name, data, kind in (
        ("a.txt", b'<?xml version="1.0"?><problem/>', "university"),
        ("b", b"\xef\xbb\xbf\n  <problem/>", "university"),
        ("c.gz", gzip.compress(b"<problem/>"), "university"),
        ("d.xml", b"", "university"),
        ("e.ectt", b"Name: x", "timetable"),
        ("f.ctt", b"", "timetable"),
    ):
        (tmp_path / name).write_bytes(data)
        assert problem_kind(tmp_path / name) == kind
    assert problem_kind(tmp_path / "absent.xml.gz") == "university"
    assert problem_kind(tmp_path / "absent.ectt") == "timetable"
    assert problem_kind(tmp_path) == "timetable"


@pytest.fixture
def files(tmp_path):
    instance, solution = generate_with_solution(12, 10, seed=1)
    instance.write(tmp_path / "u.xml.gz")
    solution.write(tmp_path / "s.xml")
    return tmp_path / "u.xml.gz", tmp_path / "s.xml"


def test_validate_counts_the_cost_of_a_university(files, capsys):
    assert main(["validate", *map(str, files)]) == 0
    out = capsys.readouterr().out
    assert "RoomConflicts" in out
    assert "distribution" in out


def test_validate_tells_what_a_university_breaks(files, capsys):
    instance = Instance.read(files[0])
    Solution(instance, [-1] * 12, [-1] * 12).write(files[1])
    assert main(["validate", *map(str, files), "--details"]) == 1
    assert "[H(1)] Times: class 1 has no time" in capsys.readouterr().out


def test_a_wrong_file_of_a_university_is_bad_input(files, capsys):
    files[1].write_text("<solution>\n<class id='x'/></solution>")
    assert main(["validate", *map(str, files)]) == 2
    assert "s.xml:2: found unknown class 'x'" in capsys.readouterr().err


def test_a_university_is_generated(tmp_path, capsys):
    command = ["generate", "--kind", "university", "--classes", "9", "--students", "3"]
    assert main(command) == 0
    assert Instance.loads(capsys.readouterr().out) == generate(9, 3)
    assert main([*command, "--out", str(tmp_path / "u.xml")]) == 0
    assert Instance.read(tmp_path / "u.xml") == generate(9, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--courses"),
        (["--kind", "university"], "--classes"),
        (["--kind", "university", "--classes", "9", "--courses", "9"], "argument --courses"),
        (["--courses", "9", "--students", "9"], "argument --students: not of --kind timetable"),
    ],
)
def test_sizes_of_the_other_kind_are_refused(arguments, words, capsys):
    with pytest.raises(SystemExit) as end:
        main(["generate", *arguments])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_fit_solves_a_university_and_leaves_all_its_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    instance, _ = generate_with_solution(12, 10, seed=1)
    instance.write(tmp_path / "u.xml.gz")
    command = ["fit", "u.xml.gz", "--seed", "1", "--job-id", "term", "--quiet"]
    # Budgets that a busy machine keeps too.
    for budget in ("cp_sat.effort=0.05", "ga.generations=3", "rl.episodes=1"):
        command += ["--set", budget]
    assert main(command) == 0
    folder = tmp_path / "runs" / "term"
    files = {"solution.xml", "timetable.html", "timetable.csv", "log.csv", "run.json"}
    assert files <= {one.name for one in folder.iterdir()}
    found = evaluate(Solution.read(folder / "solution.xml", instance))
    assert found.feasible
    assert f"{found.cost:,}" in capsys.readouterr().out


def test_a_university_that_is_none_is_refused_before_anything_is_made(tmp_path, capsys):
    path = tmp_path / "university.xml"
    path.write_text('<?xml version="1.0"?><problem/>')
    assert main(["fit", str(path)]) == 2
    assert "university.xml:1: found no attribute 'nrDays'" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["university.xml"]
