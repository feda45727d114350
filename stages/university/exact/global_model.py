"""Rules over several classes at once, as constraints of a model of some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..cost.global_rules import AVERAGED
from .rule_book import GlobalRule

if TYPE_CHECKING:
    from .class_model import ClassModel

# Pairs of options that a rule about blocks may look at; a larger one is left to those who
# evaluate the result.
MOST_LINKS = 20_000


class _Options:
    """The options of a rule's classes: those of the nodes, and the one of each other class."""

    def __init__(self, model: ClassModel, rule: GlobalRule) -> None:
        book, rows = model.book, model.others.rows
        node = {int(k): at for at, k in enumerate(model.nodes)}
        tables = book.tables
        parts, variables, owners = [], [], []
        for owner, k in enumerate(rule.classes.tolist()):
            if k in node:
                own, x = model.rows[node[k]], model.x[node[k]]
            elif rows[k] >= 0:
                # -1: it is so.
                own, x = rows[k : k + 1], np.array([-1])
            else:
                continue
            parts.append(own)
            variables.append(x)
            owners.append(np.full(len(own), owner))
        self.rows = np.concatenate(parts)
        self.x = np.concatenate(variables)
        self.owner = np.concatenate(owners)
        self.start, self.end = tables.start[self.rows], tables.end[self.rows]
        days, weeks = tables.days[self.rows], tables.weeks[self.rows]
        on_day = (days[:, None] >> np.arange(book.days)) & 1
        in_week = (weeks[:, None] >> np.arange(book.weeks)) & 1
        self.on_day = on_day.astype(np.bool_)
        cells = (on_day[:, None, :] & in_week[:, :, None]).reshape(len(self.rows), -1)
        # Weeks and days with the same options say the same.
        self.cells, self.count = np.unique(cells.T.astype(np.bool_), axis=0, return_counts=True)


def add_global_rule(model: ClassModel, rule: GlobalRule) -> None:
    """Let a model keep a rule over several classes, or pay for it as the definition says."""
    if rule.penalty is not None and not model.priced:
        return
    options = _Options(model, rule)
    excess = {
        "MaxDays": _max_days,
        "MaxDayLoad": _max_day_load,
        "MaxBreaks": _max_breaks,
        "MaxBlock": _max_block,
    }[rule.kind](model, rule, options)
    if rule.penalty is None:
        # Where it must hold nothing was in excess, or each unit is a violation.
        if model.violation is not None:
            _pay(model, excess, model.violation)
        return
    weight = model.book.weights.distribution
    if rule.kind not in AVERAGED:
        _pay(model, excess, rule.penalty * weight)
        return
    weeks = model.book.weeks
    most = sum(bound * factor for _, factor, bound in excess) * rule.penalty // weeks
    if not most:
        return
    cost = model.integer(most, weight)
    # weeks * cost > penalty * excess - weeks: the division rounds down.
    variables = [*(one for one, _, _ in excess), cost]
    factors = [*(factor * rule.penalty for _, factor, _ in excess), -weeks]
    model.linear(variables, factors, weeks - 1)


Excess = list[tuple[int, int, int]]
"""Variables that are in excess, how often each counts, and how large it can be."""


def _pay(model: ClassModel, excess: Excess, price: int) -> None:
    for variable, factor, _ in excess:
        model.add_cost(variable, factor * price)


def _allowance(model: ClassModel, rule: GlobalRule, most: int, count: int) -> Excess:
    """Make a variable for what is in excess; none where nothing may be."""
    if most <= 0 or (rule.penalty is None and model.violation is None):
        return []
    return [(model.integer(most), count, most)]


def _at_most(
    model: ClassModel,
    variables: list[int],
    factors: list[int],
    limit: int,
    excess: Excess,
) -> None:
    """Keep a weighted sum to a limit and what is in excess of it."""
    model.linear(
        [*variables, *(one for one, _, _ in excess)], [*factors, *(-1 for _ in excess)], limit
    )


def _max_days(model: ClassModel, rule: GlobalRule, options: _Options) -> Excess:
    used = []
    for day in range(options.on_day.shape[1]):
        there = options.x[options.on_day[:, day]]
        if not len(there):
            continue
        one = model.integer(1)
        used.append(one)
        if (there < 0).any():
            model.clause([], [one])
        for owner in np.unique(options.owner[options.on_day[:, day]]).tolist():
            own = options.x[options.on_day[:, day] & (options.owner == owner)]
            if own[0] >= 0:
                model.linear([*own.tolist(), one], [*[1] * len(own), -1], 0)
    most = len(used) - rule.parameters[0]
    excess = _allowance(model, rule, most, 1)
    _at_most(model, used, [1] * len(used), rule.parameters[0], excess)
    return excess


def _max_day_load(model: ClassModel, rule: GlobalRule, options: _Options) -> Excess:
    found: Excess = []
    length = options.end - options.start
    for cell, count in zip(options.cells, options.count.tolist(), strict=True):
        longest = [
            int(length[cell & (options.owner == owner)].max(initial=0))
            for owner in np.unique(options.owner)
        ]
        most = sum(longest) - rule.parameters[0]
        if most <= 0:
            continue
        fixed = int(length[cell & (options.x < 0)].sum())
        free = cell & (options.x >= 0)
        excess = _allowance(model, rule, most, count)
        limit = rule.parameters[0] - fixed
        _at_most(model, options.x[free].tolist(), length[free].tolist(), limit, excess)
        found += excess
    return found


def _openers(
    model: ClassModel, options: _Options, cell: NDArray[np.bool_], gap: int
) -> tuple[NDArray[np.intp], list[int], NDArray[np.bool_]]:
    """Add for each option of a week's day whether its class begins a block there.

    Returns
    -------
    tuple
        The options, their variables, and which of them joins a block of which other one.
    """
    there = np.flatnonzero(cell)
    start, end, owner = options.start[there], options.end[there], options.owner[there]
    # Rows are joined to the columns, which are earlier.
    earlier = (start[None, :] < start[:, None]) | (
        (start[None, :] == start[:, None]) & (owner[None, :] < owner[:, None])
    )
    joined = earlier & (end[None, :] + gap >= start[:, None])
    joined &= owner[None, :] != owner[:, None]
    openers = []
    for row, x in enumerate(options.x[there].tolist()):
        opener = model.integer(1)
        openers.append(opener)
        before = options.x[there][joined[row]]
        if (before < 0).any():
            continue
        # opener >= x - sum(before)
        variables = [opener, *before.tolist()]
        factors = [-1] * len(variables)
        if x >= 0:
            variables.append(x)
            factors.append(1)
        model.linear(variables, factors, 0 if x >= 0 else -1)
    return there, openers, joined


def _max_breaks(model: ClassModel, rule: GlobalRule, options: _Options) -> Excess:
    found: Excess = []
    for cell, count in zip(options.cells, options.count.tolist(), strict=True):
        limit = rule.parameters[0] + 1
        most = len(np.unique(options.owner[cell])) - limit
        if most <= 0:
            continue
        _, openers, _ = _openers(model, options, cell, rule.parameters[1])
        excess = _allowance(model, rule, most, count)
        _at_most(model, openers, [1] * len(openers), limit, excess)
        found += excess
    return found


def _max_block(model: ClassModel, rule: GlobalRule, options: _Options) -> Excess:
    longest, gap = rule.parameters
    found: Excess = []
    for cell, count in zip(options.cells, options.count.tolist(), strict=True):
        there = np.flatnonzero(cell)
        if len(np.unique(options.owner[there])) < 2:
            continue
        start, end = options.start[there], options.end[there]
        if int(end.max() - start.min()) <= longest:
            continue
        if len(there) ** 2 > MOST_LINKS:
            _short_pairs(model, rule, options, there, longest, gap)
            continue
        there, openers, joined = _openers(model, options, cell, gap)
        found += _long_blocks(model, rule, options, there, openers, joined, count)
    return found


def _long_blocks(
    model: ClassModel,
    rule: GlobalRule,
    options: _Options,
    there: NDArray[np.intp],
    openers: list[int],
    joined: NDArray[np.bool_],
    count: int,
) -> Excess:
    """Add for each class where its block ends at least, and whether one that begins is long."""
    longest = rule.parameters[0]
    start, end = options.start[there], options.end[there]
    x, owner = options.x[there], options.owner[there]
    latest = int(end.max())
    ends = {one: model.integer(latest) for one in np.unique(owner).tolist()}
    for later, before in zip(*np.nonzero(joined), strict=True):
        both = [int(one) for one in (x[later], x[before]) if one >= 0]
        reached = int(max(end[later], end[before]))
        mine, theirs = ends[int(owner[before])], ends[int(owner[later])]
        # Where both are chosen, the earlier one's block reaches as far as the later one's.
        slack = latest * len(both)
        model.linear([mine, *both], [-1, *[latest] * len(both)], slack - reached)
        model.linear([theirs, mine, *both], [1, -1, *[latest] * len(both)], slack)
    found: Excess = []
    for row, opener in enumerate(openers):
        excess = _allowance(model, rule, 1, count)
        # ends - start <= longest, unless it is none that begins, is not chosen, or is long.
        variables, factors = [ends[int(owner[row])], opener], [1, latest]
        limit = int(start[row]) + longest + latest
        if x[row] >= 0:
            variables.append(int(x[row]))
            factors.append(latest)
            limit += latest
        for one, _, _ in excess:
            variables.append(one)
            factors.append(-latest)
        model.linear(variables, factors, limit)
        found += excess
    return found


def _short_pairs(
    model: ClassModel,
    rule: GlobalRule,
    options: _Options,
    there: NDArray[np.intp],
    longest: int,
    gap: int,
) -> None:
    """Keep two classes that are one block from being too long where that must hold."""
    if rule.penalty is not None or model.violation is not None:
        return
    start, end = options.start[there], options.end[there]
    span = np.maximum(end[:, None], end) - np.minimum(start[:, None], start)
    apart = np.maximum(start[:, None] - end, start - end[:, None])
    x, owner = options.x[there], options.owner[there]
    long = (apart <= gap) & (span > longest)
    for one in np.unique(owner).tolist():
        for other in np.unique(owner[owner > one]).tolist():
            mine, theirs = owner == one, owner == other
            mask = long[np.ix_(mine, theirs)]
            if mask.any() and (x[mine] >= 0).all() and (x[theirs] >= 0).all():
                model.not_both(mask, x[mine], x[theirs])
            elif mask.any() and ((x[mine] >= 0).all() or (x[theirs] >= 0).all()):
                free = x[mine] if (x[mine] >= 0).all() else x[theirs]
                wrong = mask.any(axis=1) if (x[mine] >= 0).all() else mask.any(axis=0)
                for literal in free[wrong].tolist():
                    model.clause([literal])
