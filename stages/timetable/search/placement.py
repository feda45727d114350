"""Find a place for a lecture that has none."""

from ...search.compiling import NOWHERE, inner
from ...search.random import below, leads
from ..constraints.search.hard import shift_violations
from ..constraints.search.terms import shift_cost
from .timetable import can_enter, shift

_ROOMS_TRIED = 64


@inner
def best_cell(problem, timetable, lecture, violation, barred, rng):
    """Find the free cell that costs a lecture without a place least.

    Ties are broken at random. Of more than 64 free rooms, as many are tried in
    each period, from a random one on. The period `barred` is left out (-1: none).

    Returns
    -------
    tuple
        Period, room and cost, violations included at `violation` each; (-1, -1,
        0.0) if no free cell may be entered.
    """
    n_periods, n_rooms = timetable.cell.shape
    found_p, found_r, least, ties = NOWHERE, NOWHERE, 0.0, 0
    tried = min(n_rooms, _ROOMS_TRIED)
    for p in range(n_periods):
        if p == barred or not can_enter(problem, timetable, lecture, p):
            continue
        offset, seen = below(rng, n_rooms), 0
        for k in range(n_rooms):
            r = offset + k if offset + k < n_rooms else offset + k - n_rooms
            if timetable.cell[p, r] >= 0:
                continue
            cost = violation * shift_violations(problem, timetable, lecture, p, r)
            cost += shift_cost(problem, timetable, lecture, p, r)
            led, least, ties = leads(cost, least, ties, rng)
            if led:
                found_p, found_r = p, r
            seen += 1
            if seen == tried:
                break
    return found_p, found_r, least


@inner
def place_best(problem, timetable, lecture, violation, barred, rng):
    """Put a lecture without a place where it costs least; tell whether there was a cell."""
    p, r, _ = best_cell(problem, timetable, lecture, violation, barred, rng)
    if p < 0:
        return False
    shift(problem, timetable, lecture, p, r)
    return True
