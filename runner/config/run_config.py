"""What a run was made of, as a file from which it can be repeated."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Self

import msgspec

from ...callbacks.names import did_you_mean
from ...callbacks.parameters import public_parameters
from ...stages import Stage
from ...stages.errors import FormatError
from ...stages.files.text_file import read_text
from ..checked_json import checked, parsed, short
from .config_error import ConfigError

FORMAT = 1
_MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What repeats a run: instance, formulation, seed, budgets and the stages' parameters.

    Attributes
    ----------
    path
        The file that it was read from.
    instance
        The instance's file; None where the file does not tell.
    digest
        SHA-256 of that file at the time of the run, in hexadecimal digits.
    formulation, seed, time_limit, workers
        As for `fit`.
    parameters
        Of the stages, as ``{"ga": {"population": 8}}``.
    """

    path: Path
    instance: Path | None
    digest: str | None
    formulation: str
    seed: int
    time_limit: float | None
    workers: int | None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read the ``run.json`` of a run.

        Raises
        ------
        ConfigError
            If the file cannot be read, or is none of a run.
        """
        values = read_object(path)
        try:
            if (found := checked(values, _Format).format) != FORMAT:
                other = "it was written by another version"
                raise ValueError(f"format is {found}, expected {FORMAT}: {other}")
            told = checked(values, _RunFile)
            for stage, own in (told.parameters or {}).items():
                if not isinstance(own, dict):
                    raise ValueError(f"parameters of {stage} is {short(own)}, expected an object")
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from None
        return cls(
            path=Path(path),
            # Beside the file, for an instance that was made for the run.
            instance=None if told.instance is None else Path(path).parent / told.instance,
            digest=told.instance_sha256,
            formulation=told.formulation or "UD2",
            seed=told.seed or 0,
            time_limit=told.time_limit,
            workers=told.workers,
            parameters=told.parameters or {},
        )

    def check_instance(self) -> Path:
        """Return the instance's file, if it is there and still the same.

        Raises
        ------
        ConfigError
            If it is not.
        """
        advice = "name an instance to run with that one"
        if self.instance is None:
            raise ConfigError(f"{self.path}: tells of no instance; {advice}")
        if not self.instance.is_file():
            raise ConfigError(f"{self.path}: its instance {self.instance} is not there; {advice}")
        if self.digest is not None and digest(self.instance) != self.digest:
            raise ConfigError(
                f"{self.path}: its instance {self.instance} has changed since; {advice}"
            )
        return self.instance

    def apply(self, stages: list[Stage]) -> None:
        """Set the parameters of stages.

        Raises
        ------
        ConfigError
            For a stage or parameter that does not exist, and for an impossible
            value.
        """
        by_name = {stage.name: stage for stage in stages}
        for name, values in self.parameters.items():
            if name not in by_name:
                raise ConfigError(
                    f"{self.path}: there is no stage {name!r}; there are {', '.join(by_name)}"
                    f"{did_you_mean(name, by_name)}"
                )
            stage = by_name[name]
            present, known = stage.get_params(), settings(stage)
            # What else it has belongs to one run alone, or is told beside.
            values = {k: value for k, value in values.items() if k in known or k not in present}
            for parameter, value in values.items():
                if parameter in present and not _fits(value, present[parameter]):
                    raise ConfigError(
                        f"{self.path}: {name}.{parameter} cannot be {short(value)}, "
                        f"it is {present[parameter]!r} by default"
                    )
            try:
                stage.set_params(**values)
            except (ValueError, TypeError, OverflowError) as error:
                raise ConfigError(f"{self.path}: {error}") from error


def describe(params: Mapping[str, Any], stages: Iterable[Stage], problem: Any) -> dict[str, Any]:
    """Return what a run is made of, as JSON knows it and without secrets.

    Parameters
    ----------
    params
        What callbacks know of the run.
    stages
        Those of the run.
    problem
        What `fit` was given.
    """
    about: dict[str, Any] = {}
    for stage in stages:
        about |= stage.describe(problem)
    by_stage: dict[str, dict[str, Any]] = {stage["name"]: {} for stage in params["stages"]}
    for name, value in params["parameters"].items():
        stage, _, parameter = name.partition("__")
        by_stage[stage][parameter] = value
    return {
        **about,
        "format": FORMAT,
        "schoolbell": version("schoolbell"),
        "job_id": params["job_id"],
        "seed": int(params["seed"]),
        "time_limit": params["time_limit"],
        "workers": int(params["workers"]),
        "goal": params["goal"],
        "parameters": {name: public_parameters(own) for name, own in by_stage.items()},
        "callbacks": params["callbacks"],
    }


def settings(stage: Stage) -> dict[str, Any]:
    """Return the parameters that a run's file sets again.

    Not those of one run alone, which are `Stage.incidental`, nor those that `Stage.describe`
    tells by their own names: whoever makes the pipeline gives it these.
    """
    apart = {*stage.describe(None), *stage.incidental}
    return {name: value for name, value in stage.get_params().items() if name not in apart}


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Format(msgspec.Struct):
    format: int


class _RunFile(msgspec.Struct):
    """What is read of a run's file; None, and what is not there, is as by default."""

    seed: Annotated[int, msgspec.Meta(ge=0)] | None = None
    time_limit: Annotated[float, msgspec.Meta(gt=0)] | None = None
    workers: Annotated[int, msgspec.Meta(ge=1)] | None = None
    instance: str | None = None
    instance_sha256: str | None = None
    formulation: str | None = None
    parameters: dict[str, Any] | None = None


def read_object(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a JSON object from a file that somebody else may have written.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too long or is no such thing.
    """
    try:
        text = read_text(path)
        if len(text) > _MOST_CHARACTERS:
            raise ConfigError(f"{path}: is too long for the file of a run")
        values = parsed(text)
    except FormatError as error:
        raise ConfigError(str(error)) from error
    except ConfigError:
        raise
    except ValueError as error:
        at_line = str(error)[:1].isdigit()
        raise ConfigError(f"{path}:{'' if at_line else ' '}{error}") from None
    if not isinstance(values, dict):
        message = f"{path}: is no run's file: found {short(values)}, expected an object"
        raise ConfigError(message)
    return values


def _fits(value: Any, present: Any) -> bool:
    """Tell whether a value may take the place of another one."""
    if isinstance(value, dict):
        return False
    if isinstance(value, list):
        numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in value)
        return isinstance(present, tuple | list) and numbers
    if present is None or value is None:
        return True
    if isinstance(present, bool) or isinstance(value, bool):
        return isinstance(present, bool) and isinstance(value, bool)
    if isinstance(present, float):
        return isinstance(value, int | float)
    return isinstance(value, type(present))
