"""Write an instance as ITC-2019 has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    from ..model.course import Course
    from ..model.course_class import CourseClass
    from ..model.instance import Instance
    from ..model.time import Time

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


def instance_text(instance: Instance) -> str:
    """Return the text of an instance's file."""
    return "\n".join([*_lines(instance), ""])


def tag(name: str, attributes: dict[str, Any], closed: bool = False) -> str:
    """Return a tag; attributes that are None are left out."""
    text = "".join(
        f" {key}={quoteattr(str(value))}" for key, value in attributes.items() if value is not None
    )
    return f"<{name}{text}{'/' if closed else ''}>"


def _lines(instance: Instance) -> Iterator[str]:
    yield DECLARATION
    head = {
        "name": instance.name,
        "nrDays": instance.days,
        "slotsPerDay": instance.slots_per_day,
        "nrWeeks": instance.weeks,
    }
    yield tag("problem", head)
    weights = instance.weights
    values = {
        "time": weights.time,
        "room": weights.room,
        "distribution": weights.distribution,
        "student": weights.student,
    }
    yield "  " + tag("optimization", values, True)
    yield from _room_lines(instance)
    yield "  <courses>"
    for course in instance.courses:
        yield from _course_lines(course)
    yield "  </courses>"
    yield "  <distributions>"
    for one in instance.distributions:
        rule = {"required": "true"} if one.penalty is None else {"penalty": one.penalty}
        yield "    " + tag("distribution", {"type": one.type, **rule})
        for name in one.classes:
            yield "      " + tag("class", {"id": name}, True)
        yield "    </distribution>"
    yield "  </distributions>"
    yield "  <students>"
    for student in instance.students:
        yield "    " + tag("student", {"id": student.id})
        for name in student.courses:
            yield "      " + tag("course", {"id": name}, True)
        yield "    </student>"
    yield "  </students>"
    yield "</problem>"


def _room_lines(instance: Instance) -> Iterator[str]:
    travel = defaultdict(list)
    for here, there, slots in instance.travel:
        travel[here].append((there, slots))
    yield "  <rooms>"
    for room in instance.rooms:
        yield "    " + tag("room", {"id": room.id, "capacity": room.capacity})
        for there, slots in travel[room.id]:
            yield "      " + tag("travel", {"room": there, "value": slots}, True)
        for time in room.unavailable:
            yield "      " + tag("unavailable", _time(time), True)
        yield "    </room>"
    yield "  </rooms>"


def _time(time: Time) -> dict[str, Any]:
    return {
        "days": time.days,
        "start": time.start,
        "length": time.length,
        "weeks": time.weeks,
    }


def _course_lines(course: Course) -> Iterator[str]:
    yield "    " + tag("course", {"id": course.id})
    for configuration in course.configurations:
        yield "      " + tag("config", {"id": configuration.id})
        for subpart in configuration.subparts:
            yield "        " + tag("subpart", {"id": subpart.id})
            for one in subpart.classes:
                yield from _class_lines(one)
            yield "        </subpart>"
        yield "      </config>"
    yield "    </course>"


def _class_lines(one: CourseClass) -> Iterator[str]:
    head = {"id": one.id, "limit": one.limit, "parent": one.parent}
    head["room"] = None if one.rooms else "false"
    yield "          " + tag("class", head)
    for option in one.rooms:
        yield "            " + tag("room", {"id": option.room, "penalty": option.penalty}, True)
    for time in one.times:
        yield "            " + tag("time", {**_time(time), "penalty": time.penalty}, True)
    yield "          </class>"
