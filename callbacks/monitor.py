"""Which value a callback watches, and what counts as an improvement of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from .argument_error import ArgumentError, check_number
from .names import did_you_mean
from .plain_value import plain_value
from .vocabulary import MAX

Mode = Literal["auto", "min", "max"]

# What is measured in the cost's own unit: it is to become what the pipeline's goal is, and a bound
# comes from the other side.
_COSTS = ("cost", "objective", "population_mean")
_BOUNDS = ("bound",)
_FALLING = (
    *("violations", "loss", "error", "mae", "mse", "rmse", "mape", "msle", "rmsle", "nll", "brier"),
    *("crossentropy", "entropy", "divergence", "perplexity", "hinge", "poisson", "logcosh"),
    *("regret", "gap", "distance", "residual", "penalty", "igd", "gd", "wer", "cer", "fid"),
    "brier_score",
)
_RISING = (
    *("modularity", "reward", "progress", "done", "acc", "accuracy", "auc", "score", "hypervolume"),
    *("precision", "recall", "sensitivity", "specificity", "f1", "fbeta", "iou", "dice", "r2"),
    *("similarity", "correlation", "likelihood", "fitness", "return", "gain", "profit", "hv"),
    *("positives", "negatives", "ap", "map", "mrr", "ndcg", "bleu", "psnr", "ssim"),
)
_WRONG = ("false_positives", "false_negatives")
# What may follow a name without a change of its meaning, as the number in Keras's "auc_1".
_ADDED = frozenset(("mean", "avg", "average", "median", "best", "max", "min", "last"))
_WORDS = re.compile(r"[^a-z0-9]+")

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
    with_goal
        1 for a value that rises where the pipeline's goal is ``"max"``, -1 for one
        that falls there, 0 for one that has nothing to do with the goal.
    """

    name: str
    rising: bool
    min_delta: float = 0.0
    with_goal: int = 0

    @classmethod
    def of(cls, name: str, mode: Mode, min_delta: float = 0.0) -> "Monitor":
        """Make one of a callback's arguments, with Keras's meaning.

        Parameters
        ----------
        name
            A column of the logs or a stage's metric.
        mode
            ``"min"``, ``"max"``, or ``"auto"`` to tell by the name: the cost, and
            what is measured like it, by the pipeline's goal (`towards`).
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
            known = _known(name)
            if known is None:
                names = (*_COSTS, *_BOUNDS, *_FALLING, *_RISING)
                raise ArgumentError(
                    f"cannot tell whether {name!r} is to fall or to rise: "
                    f'give mode="min" or mode="max"{did_you_mean(name, names)}'
                )
            rising, with_goal = known
            return cls(name, rising, abs(min_delta), with_goal)
        return cls(name, mode == "max", abs(min_delta))

    def towards(self, goal: str | None) -> Self:
        """Return the monitor for a pipeline's goal: ``"min"`` or ``"max"``."""
        if not self.with_goal:
            return self
        return replace(self, rising=(goal == MAX) == (self.with_goal > 0))

    def improves(self, value: float, reference: float | None) -> bool:
        """Tell whether a value is better than a reference; anything is better than None."""
        if reference is None:
            return True
        if self.rising:
            return value - self.min_delta > reference
        return value + self.min_delta < reference


def _known(name: str) -> tuple[bool, int] | None:
    """Tell whether a value rises, and how that goes with the goal; None where nobody knows."""
    words = [word for word in _WORDS.split(name.lower()) if word]
    while len(words) > 1 and (words[-1] in _ADDED or words[-1].isdigit()):
        # The mean of a population is known by its whole name.
        if "_".join(words) in _COSTS:
            break
        del words[-1]
    whole, last = "_".join(words), words[-1] if words else ""
    for one in (whole, last):
        if one in _COSTS:
            return False, 1
        if one in _BOUNDS:
            return True, -1
    if whole.endswith(_WRONG):
        return False, 0
    falls = whole in _FALLING or last in _FALLING
    rises = whole in _RISING or last in _RISING or last.endswith(("accuracy", "auc", "score"))
    if whole not in _FALLING and rises:
        falls = False
    if not (falls or rises):
        return None
    # As scikit-learn calls errors where more is better: "neg_mean_squared_error".
    negated = words[0] in ("neg", "negative") and falls
    return (rises and not falls) or negated, 0


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
