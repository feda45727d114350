"""What is wrong in a file is told with line, finding and expectation."""

import os
import tracemalloc

import pytest
from schoolbell.stages.files import text_file as text_file_module
from schoolbell.stages.timetable import FormatError, Instance

CTT = """\
Name: small one
Courses: 2
Rooms: 1
Days: 2
Periods_per_day: 3
Curricula: 1
Constraints: 1

COURSES:
maths Noether 2 2 30
physics Meitner 1 1 20

ROOMS:
large 40

CURRICULA:
first 2 maths physics

UNAVAILABILITY_CONSTRAINTS:
maths 0 0

END.
"""

ECTT = """\
Name: small one
Courses: 2
Rooms: 1
Days: 2
Periods_per_day: 3
Curricula: 1
Min_Max_Daily_Lectures: 1 2
UnavailabilityConstraints: 1
RoomConstraints: 1

COURSES:
maths Noether 2 2 30 1
physics Meitner 1 1 20 0

ROOMS:
large 40 B

CURRICULA:
first 2 maths physics

UNAVAILABILITY_CONSTRAINTS:
maths 0 0

ROOM_CONSTRAINTS:
physics large

END.
"""


def error_of(text: str) -> FormatError:
    with pytest.raises(FormatError) as error:
        Instance.loads(text)
    return error.value


def test_both_formats_are_read():
    plain, extended = Instance.loads(CTT), Instance.loads(ECTT)
    assert plain.name == "small one"
    assert plain == extended.without_extensions()
    assert extended.rooms[0].building == "B"
    assert extended.courses[0].double_lectures
    assert extended.room_constraints == (("physics", "large"),)
    assert (extended.min_load, extended.max_load) == (1, 2)


@pytest.mark.parametrize(
    "variant",
    [
        CTT.replace("\n", "\r\n"),
        CTT.replace("\n", "\r"),
        CTT.replace("\n", " \t\n"),
        CTT.replace("\n", "\n\n"),
        CTT.replace(" ", "\t"),
        CTT.replace("\n\n", "\n"),
        CTT.rstrip("\n"),
        CTT.replace("Rooms: 1\nDays: 2", "Days:2\nRooms :  1"),
    ],
    ids=[
        "crlf",
        "cr",
        "trailing blanks",
        "empty lines",
        "tabs",
        "dense",
        "no last line end",
        "header",
    ],
)
def test_layout_does_not_count(variant):
    assert Instance.loads(variant) == Instance.loads(CTT)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_wrong_line_has_the_same_number_whatever_lines_end_in(tmp_path, end):
    file = tmp_path / "wrong.ctt"
    for old, new in ((b"physics", b"phys\xffics"), (b"physics", b"\0"), (b"ROOMS:", b"ROOM:")):
        data = CTT.encode().replace(old, new, 1)
        file.write_bytes(data.replace(b"\n", end.encode()))
        with pytest.raises(FormatError) as error:
            Instance.read(file)
        assert error.value.line == 1 + data[: data.index(new)].count(b"\n")


def test_a_byte_order_mark_is_no_text(tmp_path):
    file = tmp_path / "marked.ctt"
    file.write_bytes(b"\xef\xbb\xbf" + CTT.encode())
    assert Instance.read(file) == Instance.loads(CTT)


def test_identifiers_can_be_in_any_script():
    instance = Instance.loads(CTT.replace("maths", "Übungen").replace("Noether", "Нётер"))
    assert instance.courses[0].id == "Übungen"
    assert Instance.loads(instance.dumps()) == instance


@pytest.mark.parametrize(
    ("old", "new", "line", "found", "expected"),
    [
        ("Name: ", "Title: ", 1, "Title: small one", "Name:"),
        ("Courses: 2", "Courses: two", 2, "Courses 'two'", "a whole number"),
        ("Courses: 2", "Courses: 0", 2, "Courses 0", "1 to"),
        ("Courses: 2", "Courses: 3", 13, "ROOMS:", "row 3 of the 3 of COURSES"),
        ("Courses: 2", "Courses: 1", 11, "physics Meitner", "ROOMS:"),
        ("Courses: 2", "Courses:", 2, "Courses:", "1 number"),
        ("Courses: 2\n", "", 8, "COURSES:", "Courses:"),
        ("Rooms: 1", "Rooms: 1\nRooms: 1", 4, "Rooms: 1", "Days:"),
        ("Days: 2", "Days: 1000000000", 4, "Days 1000000000", "1 to 366"),
        ("Days: 2", "Days: ٢", 4, "Days '٢'", "a whole number"),
        ("Days: 2", "Days: 1_0", 4, "Days '1_0'", "a whole number"),
        ("Periods_per_day: 3", "Periods_per_day: -3", 5, "Periods_per_day -3", "1 to"),
        ("COURSES:", "COURSE:", 9, "COURSE:", "COURSES:"),
        ("Noether 2 2 30", "Noether 2 2", 10, "maths Noether 2 2", "id teacher lectures"),
        ("Noether 2 2 30", "Noether 2 2 30 1", 10, "2 2 30 1", "id teacher lectures"),
        ("Noether 2 2 30", "Noether 2 2 -30", 10, "students -30", "0 to"),
        ("Noether 2 2 30", "Noether 2.5 2 30", 10, "lectures '2.5'", "a whole number"),
        ("Noether 2 2 30", "Noether 99 2 30", 10, "99 lectures", "at most 6"),
        ("physics Meitner", "maths Meitner", 11, "maths twice", "each id once"),
        ("large 40", "large -40", 14, "capacity -40", "0 to"),
        ("large 40", "large 99999999999999", 14, "capacity '99999999999999'", "a whole number"),
        ("2 maths physics", "3 maths physics", 17, "2 courses", "n = 3"),
        ("2 maths physics", "2 maths", 17, "1 courses", "n = 2"),
        ("first 2 maths physics", "first", 17, "first", "id n course_1"),
        ("2 maths physics", "2 maths art", 17, "unknown course 'art'", "one of the courses"),
        ("2 maths physics", "2 maths maths", 17, "maths twice", "once"),
        ("maths 0 0", "art 0 0", 20, "unknown course 'art'", "the id of a course"),
        ("maths 0 0", "maths 2 0", 20, "day 2", "0 to 1"),
        ("maths 0 0", "maths 0 3", 20, "timeslot 3", "0 to 2"),
        ("END.", "", 20, "the end of the file", "END."),
        ("END.", "END", 22, "END", "END."),
        ("END.", "END.\nmore", 23, "more", "nothing after END."),
    ],
)
def test_a_wrong_line_is_told(old, new, line, found, expected):
    error = error_of(CTT.replace(old, new, 1))
    assert found in error.found
    assert expected in error.expected
    assert error.line == line
    assert str(error).startswith(f"<text>:{line}: found ")


@pytest.mark.parametrize(
    ("old", "new", "line", "found", "expected"),
    [
        ("Min_Max_Daily_Lectures: 1 2", "Min_Max_Daily_Lectures: 1", 7, "1", "2 numbers"),
        (
            "Min_Max_Daily_Lectures: 1 2",
            "Min_Max_Daily_Lectures: 3 2",
            7,
            "minimum of 3",
            "no more",
        ),
        ("Noether 2 2 30 1", "Noether 2 2 30", 12, "2 2 30", "double_lectures"),
        ("Noether 2 2 30 1", "Noether 2 2 30 2", 12, "double_lectures 2", "0 to 1"),
        ("large 40 B", "large 40", 16, "large 40", "building"),
        ("physics large", "physics attic", 25, "unknown room 'attic'", "the id of a room"),
        ("physics large", "physics", 25, "physics", "course room"),
        ("RoomConstraints: 1", "Constraints: 1", 11, "COURSES:", "RoomConstraints:"),
    ],
)
def test_a_wrong_line_of_the_extended_format_is_told(old, new, line, found, expected):
    error = error_of(ECTT.replace(old, new, 1))
    assert found in error.found
    assert expected in error.expected
    assert error.line == line


@pytest.mark.parametrize("text", [CTT, ECTT])
def test_a_truncated_file_is_told_wherever_it_ends(text):
    complete = text.rindex("END.") + len("END.")
    for end in range(complete):
        assert error_of(text[:end]).line is not None


@pytest.mark.parametrize(
    "field", ["Courses", "Rooms", "Days", "Periods_per_day", "Curricula", "Constraints"]
)
def test_a_claimed_size_takes_no_memory(field):
    lines = [
        f"{field}: 1000000000" if line.startswith(f"{field}:") else line
        for line in CTT.splitlines()
    ]
    tracemalloc.start()
    try:
        error = error_of("\n".join(lines))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.found == f"{field} 1000000000"
    assert peak < 1_000_000


def test_long_nonsense_is_cut_in_the_message():
    assert len(str(error_of("x" * 1_000_000))) < 500


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FormatError) as error:
        Instance.read(tmp_path / "none.ctt")
    assert error.value.path == str(tmp_path / "none.ctt")
    assert error.value.line is None
    assert error.value.found == "no such file or directory"


def test_a_directory_is_told(tmp_path):
    with pytest.raises(FormatError, match="found a directory, expected a file"):
        Instance.read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes need a POSIX system")
def test_a_pipe_is_told_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.ctt")
    with pytest.raises(FormatError, match="no regular file"):
        Instance.read(tmp_path / "pipe.ctt")


def test_a_binary_is_told_with_its_line(tmp_path):
    file = tmp_path / "binary.ctt"
    file.write_bytes(b"Name: x\n\x7fELF\0\0")
    with pytest.raises(FormatError, match=r"binary\.ctt:2: found binary data, expected text"):
        Instance.read(file)


def test_another_encoding_is_told_with_its_line(tmp_path):
    file = tmp_path / "latin.ctt"
    file.write_bytes(CTT.replace("maths", "Übung").encode("latin-1"))
    with pytest.raises(FormatError, match=r"latin\.ctt:10: found byte 0xdc"):
        Instance.read(file)


def test_a_file_that_is_too_large_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(text_file_module, "MAX_BYTES", 10)
    file = tmp_path / "large.ctt"
    file.write_text(CTT)
    with pytest.raises(FormatError, match="more than 10 bytes"):
        Instance.read(file)
