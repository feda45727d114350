"""What the stages of earlier runs took."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec

from ...callbacks.vocabulary import FINISHED, TIME
from ...stages.errors import FormatError
from ...stages.files.atomic import write_atomically
from ..checked_json import checked, parsed
from ..results.run import Run
from .stage_timing import POINTS, StageTiming, is_rising

_FORMAT = "schoolbell timings 1"
_SECTIONS = {False: "without_time_limit", True: "with_time_limit"}
_MOST_BYTES = 1_000_000
_COMPLETE = (FINISHED, TIME)


class Timings:
    """What stages took before, kept apart for runs with and without a time limit.

    Parameters
    ----------
    limited, unlimited
        Timings of stages, by name, of runs with and without a limit.
    """

    def __init__(
        self,
        limited: Mapping[str, StageTiming] | None = None,
        unlimited: Mapping[str, StageTiming] | None = None,
    ) -> None:
        self._stages = {True: dict(limited or {}), False: dict(unlimited or {})}

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file that `write` left; one that is not there yet holds nothing.

        Raises
        ------
        FormatError
            For a file that is something else.
        OSError
            For one that cannot be read.
        """
        file = Path(path)
        try:
            with file.open("rb") as stream:
                data = stream.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return cls()
        if len(data) > _MOST_BYTES:
            raise FormatError(file, None, f"more than {_MOST_BYTES:,} bytes", "a file of timings")
        try:
            content = parsed(data.decode())
            if (found := checked(content, _Format).format) != _FORMAT:
                raise ValueError(f"the format {found!r}")
            sections = {
                limited: {
                    stage: _timing(checked(one, _StageFile))
                    for stage, one in getattr(checked(content, _File), name).items()
                }
                for limited, name in _SECTIONS.items()
            }
        except ValueError as error:
            found = " ".join(str(error).split())[:80] or type(error).__name__
            expected = "the timings of earlier runs as fit writes them, or no such file"
            raise FormatError(file, None, found, expected) from None
        return cls(sections[True], sections[False])

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write all to a file, which is complete or left as it was.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        content: dict[str, Any] = {"format": _FORMAT}
        for limited, name in _SECTIONS.items():
            stages = self._stages[limited]
            content[name] = {stage: _as_json(timing) for stage, timing in stages.items()}
        write_atomically(path, json.dumps(content, indent=1) + "\n")

    def of_stages(self, limited: bool) -> Mapping[str, StageTiming]:
        """Return the timings of stages in runs with a time limit, or without."""
        return self._stages[limited]

    def add(self, run: Run) -> None:
        """Take the timings of a run's stages in place of older ones; only of complete stages."""
        rows: dict[str, list[tuple[int, float]]] = {}
        for row in run.history:
            rows.setdefault(row["stage"], []).append((row["done"], row["elapsed"]))
        for stage in run.stages:
            if stage.ended_by in _COMPLETE:
                finished = [(done, at - stage.began) for done, at in rows.get(stage.name, ())]
                timing = StageTiming.of(finished, stage.seconds, stage.budget, stage.total)
                self._stages[stage.budget is not None][stage.name] = timing


def _as_json(timing: StageTiming) -> dict[str, Any]:
    curve = [round(seconds, 4) for seconds in timing.curve]
    about = {"units": timing.units, "total": timing.total, "budget": timing.budget}
    return {**about, "curve": curve}


def _timing(told: "_StageFile") -> StageTiming:
    if not is_rising(told.curve):
        raise ValueError(f"the curve {told.curve!r}")
    return StageTiming(told.units, told.budget, told.curve, told.total)


_Count = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, lt=1e12)]


class _StageFile(msgspec.Struct):
    units: _Count
    budget: _Seconds | None
    curve: Annotated[tuple[_Seconds, ...], msgspec.Meta(min_length=POINTS, max_length=POINTS)]
    total: _Count | None = None


class _Format(msgspec.Struct):
    format: str


class _File(msgspec.Struct):
    with_time_limit: dict[str, Any]
    without_time_limit: dict[str, Any]
