"""Whatever a file holds, it is read or told to be wrong; nothing else happens."""

import gzip
import random
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schoolbell.stages.university import FormatError, Instance, MissingFileError, Solution
from schoolbell.stages.university.formats import files

from ...timetable.model.test_malformed import FUZZ as FUZZ_MUCH
from ...timetable.model.test_malformed import mutate
from ..conftest import small

FUZZ = settings(FUZZ_MUCH, max_examples=60)

NASTY = (
    b"-1",
    b"9" * 5000,
    b"1e9",
    b"\xff",
    b"\0",
    b"&amp;",
    b"&boom;",
    b"<",
    b">",
    b"/>",
    b"</class>",
    b"<class>",
    b"<student id='Ann'/>",
    b'start="99999"',
    b'days="000"',
    b'weeks=""',
    b'room="false"',
    b'type="WorkDay(9999999999999999999999)"',
    b"<!DOCTYPE x [<!ENTITY boom 'x'>]>",
    b"<![CDATA[",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b"x" * 1000,
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


def check_told(error: FormatError, path: object) -> None:
    assert error.path == str(path)
    assert error.found
    assert error.expected
    assert error.line is None or error.line >= 1
    assert len(str(error)) < 1500


@FUZZ
@given(changes=CHANGES)
def test_a_mutated_instance_is_read_or_told(tmp_path, changes):
    file = tmp_path / "mutated.xml"
    file.write_bytes(mutate(small().dumps().encode(), changes))
    try:
        instance = Instance.read(file)
    except FormatError as error:
        check_told(error, file)
        return
    assert Instance.loads(instance.dumps()) == instance
    assert len(instance.tables.time_starts) == len(instance.classes) + 1


@FUZZ
@given(changes=CHANGES)
def test_a_mutated_solution_is_read_or_told(tmp_path, changes):
    instance = small()
    solution = Solution(instance, [0, 1, 2, 0, 1], [0, 1, 1, 0, -1], [(0, 1), (1, 1), (0, 3)])
    file = tmp_path / "mutated.xml"
    file.write_bytes(mutate(solution.dumps().encode(), changes))
    try:
        changed = Solution.read(file, instance)
    except FormatError as error:
        check_told(error, file)
        return
    assert Solution.loads(changed.dumps(), instance) == changed


@FUZZ
@given(data=st.binary(max_size=300), packed=st.booleans())
def test_random_bytes_are_told(tmp_path, data, packed):
    file = tmp_path / "noise.xml.gz"
    file.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(FormatError) as error:
        Instance.read(file)
    check_told(error.value, file)


def laughs(levels: int) -> str:
    rows = [f'<!ENTITY l{k + 1} "{f"&l{k};" * 10}">' for k in range(levels)]
    return f'<!DOCTYPE problem [<!ENTITY l0 "ha">{"".join(rows)}]>\n<problem name="&l{levels};"/>'


HEAD = '<problem nrDays="7" nrWeeks="4" slotsPerDay="288">'

HOSTILE = {
    "entities within entities": laughs(9),
    "a file as an entity": '<!DOCTYPE problem [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
    "<problem>&x;</problem>",
    "a parameter entity": '<!DOCTYPE problem [<!ENTITY % x SYSTEM "http://localhost/">%x;]>\n'
    "<problem/>",
    "an entity that a document type may have": '<!DOCTYPE problem SYSTEM "x.dtd">\n'
    f"{HEAD}&x;</problem>",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_entities_are_refused(kind):
    with pytest.raises(FormatError, match="no entities"):
        Instance.loads(HOSTILE[kind])


def test_a_document_type_is_passed_over_and_its_file_not_read(tmp_path):
    secret = tmp_path / "secret.dtd"
    secret.write_text('<!ENTITY boom "x"> nonsense')
    head, rest = small().dumps().split("\n", 1)
    text = f'{head}\n<!DOCTYPE problem PUBLIC "-//ITC 2019//DTD" "{secret.as_uri()}">\n{rest}'
    assert Instance.loads(text) == small()
    assert Instance.loads("\ufeff" + text) == small()


def test_a_bomb_is_refused_before_it_has_gone_off(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_BYTES", 2_000_000)
    file = tmp_path / "bomb.xml.gz"
    file.write_bytes(gzip.compress(HEAD.encode() + b" " * 20_000_000, 9))
    assert file.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="more than 2,000,000 bytes"):
            Instance.read(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "data",
    [
        random.Random(1).randbytes(8_000_000),
        b"lorem ipsum dolor sit\n" * 400_000,
        b"<" + b"x" * 9_000_000,
        b"<problem " + b"x='1' " * 1_500_000,
        b"<problem>" * 1_000_000,
        b'<problem name="' + b"x" * 9_000_000,
    ],
    ids=["bytes", "text", "a tag", "attributes", "depth", "a name"],
)
def test_megabytes_of_noise_are_told_within_bounded_memory(tmp_path, data):
    file = tmp_path / "noise.xml"
    file.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(FormatError) as error:
            Instance.read(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    check_told(error.value, file)
    assert peak < 4 * len(data)


def test_damaged_and_missing_files_are_told(tmp_path):
    packed = gzip.compress(small().dumps().encode())
    file = tmp_path / "cut.xml.gz"
    for damaged in (packed[:-20], packed[:100] + b"\xff" * 20 + packed[120:], packed + b"more"):
        file.write_bytes(damaged)
        with pytest.raises(FormatError, match=r"compressed data that are damaged|broken XML"):
            Instance.read(file)
    with pytest.raises(MissingFileError):
        Instance.read(tmp_path / "none.xml")
    with pytest.raises(FormatError, match="found a directory"):
        Instance.read(tmp_path)


WRONG = [
    ("<hall/>", "<rooms>", "found <hall> in <problem>, expected <optimization> or <rooms> or"),
    ('nrWeeks="four"', 'nrWeeks="4"', "found nrWeeks 'four', expected a whole number"),
    ("", 'nrWeeks="4"', "found no attribute 'nrWeeks'"),
    ('type="SameDay"', 'type="WorkDay(5)"', "did you mean 'SameDays'"),
    ('required="yes"', 'required="true"', "found required 'yes', expected 'true' or 'false'"),
    ('room="maybe"', 'room="false"', "found room 'maybe', expected 'true' or 'false'"),
    ("", 'room="false"', "found class 'seminar2' with 0 rooms"),
    ('<class id="read1"', '<class id="reading"', "found unknown class 'reading'"),
    ("<rooms>stray", "<rooms>", "found the text 'stray', expected an element"),
    ("", "</students>", "found broken XML"),
    ("</students><students></students>", "</students>", "found a second <students>"),
]


@pytest.mark.parametrize(("new", "old", "words"), WRONG)
def test_what_is_wrong_is_told_with_its_line(new, old, words):
    text = small().dumps()
    assert old in text
    before = text.split(old)[0]
    with pytest.raises(FormatError) as error:
        Instance.loads(text.replace(old, new, 1))
    assert words in str(error.value)
    check_told(error.value, "<text>")
    assert abs(error.value.line - before.count("\n") - 1) <= 5 or "unknown" in words


def test_an_unknown_reference_is_told_where_it_stands():
    text = small().dumps().replace('<student id="Bob">\n      <course id="logic"', (
        '<student id="Bob">\n      <course id="login"'
    ))  # fmt: skip
    line = text[: text.index('<student id="Bob"')].count("\n") + 1
    with pytest.raises(FormatError, match="unknown course 'login' of student Bob") as error:
        Instance.loads(text)
    assert error.value.line == line
