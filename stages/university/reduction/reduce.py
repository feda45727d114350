"""Make an instance smaller without losing a feasible solution."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from ..model.course_class import CourseClass
from ..model.distribution import GLOBAL_KINDS, PAIR_KINDS, Distribution
from ..model.instance import Instance
from .domains import Domains, Pair, required_pairs
from .reduction import Reduction

# A rule that implies others: who keeps the first keeps these.
_IMPLIES = {
    "SameAttendees": ("NotOverlap",),
    "DifferentDays": ("NotOverlap", "SameAttendees"),
    "DifferentWeeks": ("NotOverlap", "SameAttendees"),
    "DifferentTime": ("NotOverlap",),
}


def reduce(instance: Instance) -> Reduction:
    """Leave out what no feasible solution has, and what is said twice.

    Times and rooms that are never open together or that no option of another class goes
    with are taken away until nothing changes. A pair of classes that several required
    distributions, or one that implies another, speak of is kept once, and one that no
    options can break not at all; what is left of each kind is gathered into cliques. Of
    equal distributions that cost, one has the sum of their penalties.

    Feasible solutions and their costs are the same; an instance that is found to have no
    solution keeps the options of the classes that have none left.
    """
    domains = Domains(instance)
    pairs = required_pairs(instance)
    domains.propagate(pairs)
    needed = _needed(pairs, domains)
    costs = _merged(instance)
    rules = [*_cliques(needed, instance), *costs]
    rules += [one for one in instance.distributions if one.required and one.kind in GLOBAL_KINDS]
    smaller = instance.with_fewer_options(_courses(instance, domains), tuple(rules))
    removed = {
        "times": _options(instance, "times") - _options(smaller, "times"),
        "rooms": _options(instance, "rooms") - _options(smaller, "rooms"),
        "pairs": _n_pairs(instance) - len(needed),
        "distributions": sum(not one.required for one in instance.distributions) - len(costs),
    }
    return Reduction(instance, smaller, removed)


def _n_pairs(instance: Instance) -> int:
    return sum(
        len(one.classes) * (len(one.classes) - 1) // 2
        for one in instance.distributions
        if one.required and one.kind in PAIR_KINDS
    )


def _options(instance: Instance, what: str) -> int:
    return sum(len(getattr(one, what)) for one in instance.classes)


def _needed(pairs: list[Pair], domains: Domains) -> list[Pair]:
    known = {(kind, parameter, min(i, j), max(i, j)) for kind, parameter, i, j in pairs}
    implied = {
        (other, 0, i, j)
        for kind, _, i, j in known
        for other in _IMPLIES.get(kind, ())
    }  # fmt: skip
    needed = []
    for pair in pairs:
        kind, parameter, i, j = pair
        if (kind, parameter, min(i, j), max(i, j)) in implied:
            continue
        about_rooms = kind in ("SameRoom", "DifferentRoom")
        travels = kind == "SameAttendees" and (len(domains.rooms[i]) and len(domains.rooms[j]))
        if not about_rooms and not travels and domains.all_compatible(pair):
            continue
        if travels and _never_meet(domains, i, j):
            continue
        needed.append(pair)
    return needed


def _never_meet(domains: Domains, i: int, j: int) -> bool:
    # A gap that is longer than any day: only classes that do not meet have it.
    return domains.all_compatible(("MinGap", 10_000, i, j))


def _cliques(pairs: list[Pair], instance: Instance) -> list[Distribution]:
    """Cover the pairs of each kind with distributions, each pair once."""
    graphs: dict[tuple[str, int], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    found = []
    for kind, parameter, i, j in pairs:
        if kind == "Precedence":
            found.append(_rule(kind, parameter, [i, j], instance))
        else:
            graph = graphs[kind, parameter]
            graph[i].add(j)
            graph[j].add(i)
    for (kind, parameter), graph in sorted(graphs.items()):
        for i in sorted(graph):
            while graph[i]:
                clique, common = [i], set(graph[i])
                while common:
                    k = min(common)
                    clique.append(k)
                    common &= graph[k]
                for at, a in enumerate(clique):
                    for b in clique[at + 1 :]:
                        graph[a].discard(b)
                        graph[b].discard(a)
                found.append(_rule(kind, parameter, clique, instance))
    return found


def _rule(kind: str, parameter: int, classes: list[int], instance: Instance) -> Distribution:
    text = f"{kind}({parameter})" if PAIR_KINDS[kind] else kind
    return Distribution(text, tuple(instance.classes[k].id for k in classes))


def _merged(instance: Instance) -> list[Distribution]:
    """Merge equal distributions that cost; those that are divided are left as they are."""
    merged: dict[tuple[str, tuple[str, ...]], int] = {}
    found = []
    for one in instance.distributions:
        if one.penalty is None:
            continue
        if one.kind not in PAIR_KINDS:
            found.append(one)
        elif one.penalty and len(one.classes) > 1:
            in_order = one.classes if one.kind == "Precedence" else tuple(sorted(one.classes))
            merged[one.type, in_order] = merged.get((one.type, in_order), 0) + one.penalty
    return [*(Distribution(*key, penalty) for key, penalty in merged.items()), *found]


def _courses(instance: Instance, domains: Domains) -> tuple:
    first = instance.tables.time_starts

    def smaller(one: CourseClass) -> CourseClass:
        k = instance.class_positions[one.id]
        times = tuple(one.times[row - first[k]] for row in domains.times[k])
        left = {instance.rooms[room].id for room in domains.rooms[k]}
        return replace(one, times=times, rooms=tuple(r for r in one.rooms if r.room in left))

    return tuple(
        replace(
            course,
            configurations=tuple(
                replace(
                    configuration,
                    subparts=tuple(
                        replace(subpart, classes=tuple(map(smaller, subpart.classes)))
                        for subpart in configuration.subparts
                    ),
                )
                for configuration in course.configurations
            ),
        )
        for course in instance.courses
    )
