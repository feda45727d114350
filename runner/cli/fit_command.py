"""``schoolbell fit``: from the arguments to the files of a run."""

import argparse
import ast
import gc
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    ProgbarLogger,
    RedisLogger,
    TensorBoard,
)
from ...callbacks.vocabulary import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED
from ...stages.files.check_writable import check_folder, check_writable
from ...stages.steps.finalize_step import FinalizeStep
from ...stages.timetable import Instance, generate
from ..config.config_file import ConfigFile
from ..config.run_config import RunConfig, digest
from ..engine.interrupts import exit_status, put_off
from ..pipeline import Pipeline
from ..problems.choosing import problem_of
from ..problems.problem_kind import problem_kind
from ..progress.timings import Timings
from ..results.run import Run, format_seconds, infeasible_words
from .output import complain, while_read
from .parser import fail
from .run_files import RunFiles

EXIT_STATUS = {FINISHED: 0, STOPPED: 0, FAILED: 1}
NOTHING_FOUND = 1
NOT_GOOD = 1
"""For a timetable that is not feasible or could not be written."""

BACKUP_SECONDS = 10.0
"""Seconds between two backups."""

DEMO_COURSES = 80
DEMO_SEED = 2007
DEMO_SECONDS = 20.0


def fit_command(args: argparse.Namespace) -> int:
    """Make a timetable as the command line asks.

    Everything that can be wrong with the arguments is found before the run
    starts. However the run ends, the best timetable so far is written, and a
    signal that comes after the run waits for that; so does it matter to nothing
    but the rest of what is printed when the reader of stdout has gone.

    Parameters
    ----------
    args
        The arguments of ``schoolbell fit``.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    TimetableError, OSError
        If the arguments or the files they name are wrong.
    """
    logger = _redis_logger(args)
    formulation = args.formulation
    config = _repeated(args)
    kind = "timetable" if args.instance is None else problem_kind(args.instance)
    if kind == "university" and formulation is not None:
        fail(args, "argument --formulation: not of a whole university")
    problem = problem_of(kind, args.formulation)
    instance = demo_instance() if args.instance is None else problem.read(args.instance)
    problem.check_instance(instance)
    pipeline = problem.pipeline()
    if config is not None:
        config.apply(pipeline.stages)
    _change_stages(pipeline, args)
    if args.timings is not None:
        check_writable(args.timings)
        Timings.read(args.timings)
    for folder in (args.tensorboard, args.backup):
        if folder is not None:
            check_folder(folder)
    board = tensor_board(args)
    backup = None if args.backup is None else BackupAndRestore(args.backup, interval=BACKUP_SECONDS)
    files = RunFiles.create(
        "demo" if args.instance is None else instance.name,
        job_id=args.job_id,
        reuse=backup is not None and backup.path.exists(),
        suffix=problem.solution_suffix,
        solution=args.out,
        page=args.html,
        log=args.csv,
    )
    finalize = problem.finalize(solution=files.solution, html=files.page, csv=files.table)
    for name, path in finalize.get_params().items():
        pipeline.set_params(**{f"finalize__{name}": path})
    if args.instance is None:
        instance.write(files.folder / "instance.ectt")

    source = args.instance or files.folder / "instance.ectt"
    record = ConfigFile(files.config, _about(source, files.folder))
    callbacks: list[Callback] = [record, CSVLogger(files.log)]
    callbacks += [one for one in (logger, board, backup) if one is not None]
    callbacks += progress_display(args)
    with put_off():
        run = _run(pipeline, instance, args, files, callbacks)
        if run.solution is None:
            complain(f"no timetable was found, {run.outcome}")
            with while_read(sys.stdout):
                for reason in run.infeasible_because:
                    print(infeasible_words(reason))
                _print_paths([("log", files.log), ("run", files.config)])
            return status_of(run) or NOTHING_FOUND
        if run.status == FAILED:
            complain(run.outcome)
        evaluation = problem.evaluate(run.solution, run.infeasible_because)
        written = hasattr(run.state, "files") or _write(finalize, evaluation)
        with while_read(sys.stdout):
            _report(run, evaluation, files, source, args.tensorboard)
            if backup is not None and backup.path.exists():
                print(f"{'backup':<10}{backup.path} (the same command goes on from it)")
    return status_of(run) or (0 if written and evaluation.feasible else NOT_GOOD)


def demo_instance() -> Instance:
    """Generate the demo: a faculty's week of the size of an ITC-2007 instance, always the same."""
    return generate(DEMO_COURSES, seed=DEMO_SEED)


def progress_display(args: argparse.Namespace) -> list[Callback]:
    """Return what shows the progress of a command's run, if anything is to."""
    if args.quiet:
        return []
    display = ProgbarLogger()
    # The command does, in a line of its own.
    display.tells_error = False
    return [display]


def status_of(run: Run) -> int:
    """Return the exit status that tells how a run ended."""
    if run.status == INTERRUPTED:
        return exit_status(None if run.stopped_by is None else signal.Signals[run.stopped_by])
    return EXIT_STATUS[run.status]


def _write(finalize: FinalizeStep, evaluation: Any) -> bool:
    """Write what the last stage could not; a full disk hides no result."""
    collects = gc.isenabled()
    # Somebody waits who has pressed Ctrl-C, and all that a run has made is gone through in vain.
    gc.disable()
    try:
        finalize.write(evaluation)
    except OSError as error:
        for line in (f"{error.filename}: {error.strerror}", *getattr(error, "__notes__", ())):
            complain(line)
        return False
    finally:
        if collects:
            gc.enable()
    return True


def _repeated(args: argparse.Namespace) -> RunConfig | None:
    """Complete the arguments by those of the run to repeat, and by their defaults."""
    config = None if args.config is None else RunConfig.read(args.config)
    if config is not None:
        if args.instance is None:
            args.instance = config.check_instance()
        for name in ("formulation", "seed", "time_limit", "workers"):
            if getattr(args, name) is None:
                setattr(args, name, getattr(config, name))
    args.formulation = args.formulation or "UD2"
    args.seed = args.seed or 0
    return config


def _about(instance: Path, folder: Path) -> dict[str, Any]:
    """Tell which instance a run is about."""
    path = instance.resolve()
    beside = path.parent == folder.resolve()
    return {"instance": path.name if beside else str(path), "instance_sha256": digest(path)}


def _change_stages(pipeline: Pipeline, args: argparse.Namespace) -> None:
    for name, text in args.settings:
        try:
            pipeline.set_params(**{name: _value(text)})
        except (ValueError, TypeError) as error:
            fail(args, f"argument --set: {error}")


def _value(text: str) -> Any:
    """Read a number, a tuple, True, None … as Python writes them; anything else is a string."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def tensor_board(args: argparse.Namespace) -> TensorBoard | None:
    """Return who writes for TensorBoard, or complain where what that takes is not installed."""
    try:
        return None if args.tensorboard is None else TensorBoard(args.tensorboard)
    except ImportError as error:
        fail(args, f"argument --tensorboard: {error}")


def _redis_logger(args: argparse.Namespace) -> RedisLogger | None:
    """Return who tells Redis of the run, after a check that the server can be used."""
    if args.redis is None:
        return None
    url = None if args.redis is True else args.redis
    logger = RedisLogger(url, keep_server=args.keep_redis, announce=not args.quiet)
    logger.check()
    return logger


def _run(
    pipeline: Pipeline,
    instance: Any,
    args: argparse.Namespace,
    files: RunFiles,
    callbacks: list[Callback],
) -> Run:
    limit = args.time_limit
    if limit is None and args.instance is None:
        limit = DEMO_SECONDS
    try:
        return pipeline.fit(
            instance,
            callbacks=callbacks,
            seed=args.seed,
            time_limit=limit,
            workers=args.workers,
            verbose=False,
            job_id=files.job_id,
            started=args.started,
            timings=args.timings,
        )
    except Exception as error:
        run = pipeline.run
        if run is None or run.status == RUNNING:
            # It was refused before it began: a backup of another run, for one.
            with suppress(OSError):
                files.folder.rmdir()
            raise
        if args.debug:
            with suppress(OSError), while_read(sys.stderr):
                traceback.print_exception(error)
        return run


def _report(run: Run, evaluation: Any, files: RunFiles, instance: Path, board: Path | None) -> None:
    # Why it failed has been told.
    outcome = FAILED if run.status == FAILED else run.outcome
    print(f"{run.job_id}: {outcome} after {format_seconds(run.seconds)}\n{run.best}")
    for reason in run.infeasible_because:
        print(infeasible_words(reason))
    print()
    print(evaluation)
    print()
    paths = [
        ("instance", instance),
        ("solution", files.solution),
        ("web page", files.page),
        ("table", files.table),
        ("log", files.log),
        ("run", files.config),
    ]
    _print_paths(paths if board is None else [*paths, ("board", board)])


def _print_paths(paths: list[tuple[str, Path]]) -> None:
    for what, path in paths:
        print(f"{what:<10}{path}{'' if path.exists() else ' (missing)'}")
