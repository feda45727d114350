"""Where one run of the command line leaves its files."""

import errno
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from ...stages.files.check_writable import check_writable

RUNS = Path("runs")


@dataclass(frozen=True)
class RunFiles:
    """The files of one run, most of them in its folder ``runs/<job-id>``.

    Attributes
    ----------
    folder
        The run's folder; its name is the job's id.
    solution, page, table, log
        The solution file, the timetable as a web page and as CSV, and the log
        of the run's batches.
    config
        What the run is made of, to repeat it.
    """

    folder: Path
    solution: Path
    page: Path
    table: Path
    log: Path
    config: Path

    @classmethod
    def create(
        cls,
        label: str,
        *,
        job_id: str | None = None,
        reuse: bool = False,
        suffix: str = ".sol",
        solution: Path | None = None,
        page: Path | None = None,
        log: Path | None = None,
    ) -> "RunFiles":
        """Make the folder of a new run, after a check that every file can be written.

        Parameters
        ----------
        label
            What the run is about: the beginning of the job's id.
        job_id
            The whole of it instead.
        reuse
            Take a folder of that name that is there, for a run that goes on.
        suffix
            How the solution's file ends where none is named.
        solution, page, log
            Where these files go instead of the run's folder.

        Raises
        ------
        OSError
            If a file could not be written where it is to go.
        """
        for path in (solution, page, log):
            if path is not None:
                check_writable(path)
        folder = _new_folder(label) if job_id is None else _own_folder(job_id, reuse)
        return cls(
            folder=folder,
            solution=solution or folder / f"solution{suffix}",
            page=page or folder / "timetable.html",
            table=folder / "timetable.csv",
            log=log or folder / "log.csv",
            config=folder / "run.json",
        )

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self.folder.name


def _own_folder(job_id: str, reuse: bool) -> Path:
    folder = RUNS / job_id
    try:
        folder.mkdir(parents=True, exist_ok=reuse)
    except FileExistsError:
        # A run's results are not to be lost to another one of its name.
        number = errno.EEXIST
        message = "there is a run of this name already; choose another --job-id"
        raise OSError(number, message, os.fspath(folder)) from None
    return folder


def _new_folder(label: str) -> Path:
    # An instance's name comes from its file: it must not lead out of the folder.
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", label).strip("-")[:40] or "run"
    name += time.strftime("-%Y%m%d-%H%M%S")
    number = 1
    while True:
        folder = RUNS / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir():
                raise
            number += 1
        else:
            return folder
