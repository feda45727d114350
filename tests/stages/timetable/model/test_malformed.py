"""Whatever a file holds, it is read or told to be wrong; nothing else happens."""

import random
import tracemalloc
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schoolbell.stages.timetable import FormatError, Instance, Solution, evaluate, generate
from schoolbell.stages.timetable.generation.generator import generate_with_timetable

NASTY = (
    b"-1",
    b"0",
    b"999999999",
    b"1000000000000000000000",
    b"9" * 5000,
    b"nan",
    b"1e9",
    b"\xff",
    b"\0",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\r",
    b"\n",
    b"END.",
    b"ROOMS:",
    b"Courses:",
    b"",
    b"\xd9\xa3",
    b"x" * 1000,
)

FUZZ = settings(
    max_examples=400,
    deadline=5000,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["delete", "repeat", "swap", "token", "cut", "byte"]),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(NASTY),
    ),
    min_size=1,
    max_size=4,
)


def mutate(data: bytes, changes: list[tuple[str, float, float, bytes]]) -> bytes:
    """Change lines, columns and bytes at relative places."""
    for kind, where, which, nasty in changes:
        lines = data.split(b"\n")
        k, j = int(where * len(lines)), int(which * len(lines))
        if kind == "delete":
            del lines[k]
        elif kind == "repeat":
            lines.insert(j, lines[k])
        elif kind == "swap":
            lines[k], lines[j] = lines[j], lines[k]
        elif kind == "token" and (tokens := lines[k].split(b" ")):
            tokens[int(which * len(tokens))] = nasty
            lines[k] = b" ".join(tokens)
        data = b"\n".join(lines)
        place = int(where * (len(data) + 1))
        if kind == "cut":
            data = data[:place]
        elif kind == "byte":
            data = data[:place] + nasty + data[place + int(which * 5) :]
    return data


def read_or_be_told(file: Path) -> None:
    try:
        instance = Instance.read(file)
    except FormatError as error:
        assert error.path == str(file)
        assert error.found
        assert error.expected
        assert len(str(error)) < 1000
        return
    # What is accepted can be used and written.
    assert instance.conflict_starts[-1] == len(instance.conflict_courses)
    assert instance.available.shape == (instance.n_courses, instance.n_periods)
    assert instance.suitable.shape == (instance.n_courses, instance.n_rooms)
    assert Instance.loads(instance.dumps()) == instance


@cache
def generated() -> tuple[Instance, Solution]:
    return generate_with_timetable(40, seed=3)


@FUZZ
@given(
    name=st.sampled_from(["toy.ectt", "comp01.ctt", "comp11.ectt", "test2.ectt"]), changes=CHANGES
)
def test_a_mutated_real_instance_is_read_or_told(cbctt, tmp_path, name, changes):
    file = tmp_path / name
    file.write_bytes(mutate((cbctt / name).read_bytes(), changes))
    read_or_be_told(file)


@FUZZ
@given(changes=CHANGES)
def test_a_mutated_generated_instance_is_read_or_told(tmp_path, changes):
    file = tmp_path / "generated.ectt"
    file.write_bytes(mutate(generated()[0].dumps().encode(), changes))
    read_or_be_told(file)


@FUZZ
@given(changes=CHANGES)
def test_a_mutated_solution_is_read_or_told(tmp_path, changes):
    instance, solution = generated()
    file = tmp_path / "generated.sol"
    file.write_bytes(mutate(solution.dumps().encode(), changes))
    try:
        changed = Solution.read(file, instance)
    except FormatError as error:
        assert error.path == str(file)
        return
    evaluation = evaluate(changed, "UD5")
    assert len(evaluation.details()) <= evaluation.violations + evaluation.cost


@FUZZ
@given(data=st.binary(max_size=400))
def test_random_bytes_are_told(tmp_path, data):
    file = tmp_path / "noise.ctt"
    file.write_bytes(data)
    with pytest.raises(FormatError):
        Instance.read(file)


@pytest.mark.parametrize("reads", ["instance", "solution"])
@pytest.mark.parametrize("kind", ["bytes", "text", "one line", "blanks", "empty lines"])
def test_megabytes_of_noise_are_told_within_bounded_memory(tmp_path, kind, reads):
    size = 10_000_000
    noise = {
        "bytes": lambda: random.Random(1).randbytes(size),
        "text": lambda: b"lorem ipsum dolor sit\n" * (size // 22),
        "one line": lambda: b"x" * size,
        "blanks": lambda: b" " * size + b"end",
        # Fewer, because tracing memory makes each line slow.
        "empty lines": lambda: b"\n" * (size // 10) + b"end",
    }[kind]()
    file = tmp_path / "noise.ctt"
    file.write_bytes(noise)
    instance = generate(5)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) as error:
            Instance.read(file) if reads == "instance" else Solution.read(file, instance)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.value.line is not None
    assert len(str(error.value)) < 1000
    assert peak < 8 * size


def test_more_lectures_than_there_is_memory_for_are_told(tmp_path):
    lines = ["Name: huge", "Courses: 400", "Rooms: 1", "Days: 366", "Periods_per_day: 16"]
    lines += ["Curricula: 0", "Constraints: 0", "", "COURSES:"]
    lines += [f"c{number} t{number} 5856 1 1" for number in range(400)]
    lines += ["", "ROOMS:", "hall 30", "", "CURRICULA:", "", "UNAVAILABILITY_CONSTRAINTS:", ""]
    file = tmp_path / "huge.ctt"
    file.write_text("\n".join([*lines, "END.", ""]), encoding="utf-8")
    with pytest.raises(FormatError, match="2,342,400 lectures in all, expected at most 2,000,000"):
        Instance.read(file)
