"""What ``watch``, ``jobs`` and ``submit --wait`` do where they ask a service."""

from typing import TYPE_CHECKING

from .output import complain

if TYPE_CHECKING:
    from ..service.client.client import Client
    from ..service.client.service_job import ServiceJob

_FAILED = 1


def watch_service(client: "Client", job_id: str, patience: float = 60.0) -> int:
    """Show a job of a service until it ends; return the exit status of ``schoolbell watch``."""
    from ...callbacks.formatting import format_seconds
    from ...callbacks.vocabulary import FINISHED, STOPPED, best_text
    from ..engine.interrupts import exit_status
    from .watch_view import WatchView

    view, last = WatchView(), None
    try:
        for last in client.watch(job_id, patience=patience):
            view.show(last)
    except KeyboardInterrupt:
        view.close()
        complain(f"{job_id} goes on, only the watching has ended")
        return exit_status(None)
    finally:
        view.close()
    if last is None:
        return _FAILED
    best = best_text(last.cost, last.violations)
    print(f"{last.job_id}: {last.outcome} after {format_seconds(last.elapsed)}, {best}")
    return 0 if last.status in (FINISHED, STOPPED) else _FAILED


def ask_service(client: "Client", job_id: str, command: str) -> int:
    """Ask something of a job."""
    getattr(client, command)(job_id)
    print(f"{job_id}: asked to {command.replace('_', ' ')}")
    return 0


def job_row(job: "ServiceJob") -> tuple[str, ...]:
    """Return a job as a row of the table that ``schoolbell jobs`` prints."""
    import time

    from ...callbacks.formatting import format_number, format_seconds

    why = " ".join((job.why if job.ended and job.why else job.status).split())
    began = job.started_at or job.created_at
    return (
        job.id,
        why if len(why) <= 40 else f"{why[:39]}…",
        f"{int(job.progress * 1000) / 10:.1f} %",
        job.message or "",
        format_number(job.cost),
        format_number(job.violations),
        format_seconds(job.elapsed or 0.0),
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(began)),
    )
