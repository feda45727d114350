"""Which value a callback watches, and what counts as an improvement of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .argument_error import ArgumentError, check_number
from .names import did_you_mean
from .plain_value import plain_value

Mode = Literal["auto", "min", "max"]

_FALLING = ("cost", "violations", "objective", "population_mean", "anneal_cost", "loss", "error")
_RISING = ("bound", "modularity", "reward", "progress", "done")

#: Core columns of the logs that are numbers.
NUMBERS = ("cost", "violations", "progress", "done", "total", "elapsed")


@dataclass(frozen=True, slots=True)
class Monitor:
    """A value of the logs that is to fall or to rise.

    Attributes
    ----------
    name
        Its name in the logs.
    rising
        Whether more is better.
    min_delta
        What it must be better by to count as an improvement.
    """

    name: str
    rising: bool
    min_delta: float = 0.0

    @classmethod
    def of(cls, name: str, mode: Mode, min_delta: float = 0.0) -> "Monitor":
        """Make one of a callback's arguments, with Keras's meaning.

        Parameters
        ----------
        name
            A column of the logs or a stage's metric.
        mode
            ``"min"``, ``"max"``, or ``"auto"`` to tell by the name.
        min_delta
            Its sign does not matter.

        Raises
        ------
        ValueError
            For another mode, and for a name that does not tell what is better.
        """
        if not isinstance(name, str):
            wanted = 'the name of a value of the logs, such as "cost"'
            number = isinstance(name, int | float) and not isinstance(name, bool)
            advice = f"did you mean patience={name}?" if number else ""
            raise ArgumentError.of("monitor", wanted, name, advice)
        if mode not in ("auto", "min", "max"):
            raise ArgumentError.of("mode", '"auto", "min" or "max"', mode)
        check_number("min_delta", min_delta)
        if mode == "auto":
            last = name.rpartition("_")[2]
            if not {name, last}.intersection((*_FALLING, *_RISING)):
                raise ArgumentError(
                    f"cannot tell whether {name!r} is to fall or to rise: "
                    f'give mode="min" or mode="max"{did_you_mean(name, (*_FALLING, *_RISING))}'
                )
            rising = name in _RISING or (name not in _FALLING and last in _RISING)
        else:
            rising = mode == "max"
        return cls(name, rising, abs(min_delta))

    def improves(self, value: float, reference: float | None) -> bool:
        """Tell whether a value is better than a reference; anything is better than None."""
        if reference is None:
            return True
        if self.rising:
            return value - self.min_delta > reference
        return value + self.min_delta < reference


def as_names(stages: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return names of stages as a tuple; None, for all, as it is."""
    if stages is None:
        return None
    names = (stages,) if isinstance(stages, str) else stages
    if isinstance(names, type) or not isinstance(names, Iterable):
        raise ArgumentError.of("stages", "the name of a stage, or several", stages)
    names = tuple(names)
    for name in names:
        if not isinstance(name, str):
            raise ArgumentError.of("stages", "the name of a stage, or several", name)
    return names


def watched_stages(
    params: Mapping[str, Any], names: Sequence[str] | None, monitor: str | None = None
) -> frozenset[str]:
    """Return the stages to watch.

    Parameters
    ----------
    params
        What a callback knows of the run.
    names
        The stages asked for; None for all.
    monitor
        A value that they must have in their logs; of all stages those are
        watched that have it.

    Raises
    ------
    ValueError
        For a stage that the run does not have, and where no stage has the value.
    """
    metrics = {stage["name"]: stage["metrics"] for stage in params.get("stages", ())}
    for name in names or ():
        if name not in metrics:
            raise ArgumentError(
                f"there is no stage {name!r}; there are {', '.join(metrics)}"
                f"{did_you_mean(name, metrics)}"
            )
    chosen = metrics if names is None else names
    having = [
        name
        for name in chosen
        # Of a stage that declares no metrics its first batch is to tell.
        if monitor is None or metrics[name] is None or monitor in (*NUMBERS, *metrics[name])
    ]
    if monitor is not None and chosen and not having:
        known = dict.fromkeys([*NUMBERS, *(one for name in chosen for one in metrics[name] or ())])
        raise ArgumentError(
            f"no stage reports {monitor!r}; they report {', '.join(known)}"
            f"{did_you_mean(monitor, known)}"
        )
    return frozenset(having)


def number_of(value: Any) -> float | None:
    """Return the number that a value of the logs is; None where it is none."""
    if type(value) is float or type(value) is int:
        return value
    number = plain_value(value)
    return number if isinstance(number, int | float) else None


def check_numbers(state: Mapping[str, Any], names: Iterable[str]) -> None:
    """See that what a backup holds under some names are numbers, or None; else a ValueError."""
    for name in names:
        if not isinstance(state[name], int | float | None):
            raise ValueError(f"{name} must be a number, got {state[name]!r:.40}")
