"""Stages that begin every run alike."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ...callbacks.names import did_you_mean
from ...stages import Stage

# Where a stage keeps what it was when its last run began, and when that had ended.
_MARK = "_last_run"


@contextmanager
def fresh(stages: Sequence[Stage]) -> Iterator[None]:
    """Let stages begin a run as they began the one before, if nobody changed them since.

    What a run changes on a stage stays there to be looked at, until the stage is
    run again. Then its parameters are again what they were, and so is all else
    that it holds if it is a stage that takes back a state
    (`Stage.load_state_dict`), and what it names as `Stage.saved`: what is left of
    a run that was resumed, or ended in between, must not get into the next one.
    What somebody has set since the last run stays as it is.
    """
    for stage in stages:
        _set_back(stage)
        vars(stage)[_MARK] = _Run(_Beginning.of(stage))
    try:
        yield
    finally:
        for stage in stages:
            run = vars(stage).get(_MARK)
            if run is not None:
                run.end = {name: one for name, one in vars(stage).items() if name != _MARK}


def check_saved(stage: Stage) -> None:
    """See that a stage has what it wants saved.

    Raises
    ------
    TypeError
        For names that are none.
    ValueError
        For a name that no attribute has.
    """
    names = stage.saved
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(
            f"saved of stage {stage.name!r} must be names of attributes, as in "
            f'("population", "rng"), got {names!r:.80}'
        )
    for name in names:
        if not hasattr(stage, name):
            known = [one for one in vars(stage) if not one.startswith("_")]
            raise ValueError(
                f"stage {stage.name!r} has no attribute {name!r} to save (Stage.saved): its "
                f"__init__ must set it; it has {', '.join(known) or 'none'}"
                f"{did_you_mean(name, known)}"
            )


@dataclass(slots=True)
class _Beginning:
    """What a stage was: its parameters, copies of what can be copied, and all names."""

    names: set[str]
    values: dict[str, Any]

    @classmethod
    def of(cls, stage: Stage) -> "_Beginning":
        present, parameters = vars(stage), _parameters(stage)
        others = {name: one for name, one in present.items() if _is_own(stage, name)}
        return cls(set(present), _copied(others, parameters) | parameters)


@dataclass(slots=True)
class _Run:
    """What a stage was when its last run began, and when it had ended."""

    beginning: _Beginning
    end: dict[str, Any] = field(default_factory=dict)


def _set_back(stage: Stage) -> None:
    present, parameters = vars(stage), _parameters(stage)
    last = present.pop(_MARK, None)
    if last is None:
        return
    before = last.beginning
    values = _copied(before.values, parameters)
    for name, value in last.end.items():
        if name not in present or present[name] is not value:
            continue
        if name in values:
            present[name] = values[name]
        elif name not in before.names and _is_own(stage, name):
            del present[name]


def _copied(values: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return copies of values, those left out that cannot be copied, and parameters as they are."""
    # Parameters are the user's objects, wherever else the stage keeps them.
    memo: dict[int, Any] = {id(one): one for one in parameters.values()}
    kept = {}
    for name, value in values.items():
        if name in parameters:
            kept[name] = value
        else:
            with suppress(Exception):
                kept[name] = copy.deepcopy(value, memo)
    return kept


def _parameters(stage: Stage) -> dict[str, Any]:
    present = vars(stage)
    return {name: present[name] for name in stage._parameter_names() if name in present}


def _is_own(stage: Stage, name: str) -> bool:
    """Tell whether an attribute is part of the state that a stage begins every run with."""
    return name in stage.saved or type(stage).load_state_dict is not Stage.load_state_dict
