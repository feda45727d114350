"""Arguments of the commands that make a service, and of those that ask one."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ...stages.needing import needing
from .arguments import count, seconds
from .parser import fail

if TYPE_CHECKING:
    from ..service.client.client import Client
    from ..service.settings import Settings

_MEGABYTE = 1 << 20
_LIMITS = ("max_lectures", "max_jobs", "max_queue", "max_seconds", "retries", "keep_days")
_MAKERS = ("pipeline", "university_pipeline")


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add where a service keeps its jobs, and what it allows."""
    add = parser.add_argument
    add(
        "--folder",
        type=Path,
        default=Path("service"),
        metavar="DIR",
        help="where jobs are kept, shared by all machines of the service (default: service)",
    )
    add("--prefix", default="schoolbell", metavar="NAME", help="what the keys in Redis begin with")
    add(
        "--pipeline",
        metavar="MODULE:FUNCTION",
        help="what makes the pipeline of a job (default: schoolbell.runner:timetabling_pipeline)",
    )
    add(
        "--university-pipeline",
        metavar="MODULE:FUNCTION",
        help="the same for whole universities (default: schoolbell.runner:university_pipeline)",
    )
    add(
        "--keep",
        type=seconds,
        dest="keep_days",
        metavar="DAYS",
        help="days after which ended jobs are removed (default: 30)",
    )
    add("--retries", type=count, metavar="N", help="how often a lost job goes on (default: 5)")
    for option, kind, text in (
        ("--max-upload", count, "megabytes of a request (default: 20)"),
        ("--max-memory", count, "megabytes of a job's data (default: 8192)"),
        (
            "--max-lectures",
            count,
            "lectures of an instance, or classes of a university (default: 20000)",
        ),
        ("--max-jobs", count, "jobs of one token that have not ended (default: 20)"),
        ("--max-queue", count, "jobs that wait (default: 1000)"),
        ("--max-seconds", seconds, "seconds that a job may run (default: 3600)"),
    ):
        add(option, type=kind, metavar="N", help=f"most {text}")


def settings_of(args: argparse.Namespace, redis: str) -> "Settings":
    """Return the settings that a command's arguments stand for."""
    from ..service.settings import Settings

    told = {name: getattr(args, name) for name in (*_LIMITS, *_MAKERS)}
    for name in ("max_upload", "max_memory"):
        value = getattr(args, name)
        told[name] = None if value is None else value * _MEGABYTE
    told = {name: value for name, value in told.items() if value is not None}
    return Settings(args.folder, redis, args.prefix, **told)


def add_service(parser: argparse.ArgumentParser, *, beside_redis: bool = False) -> None:
    """Add where a service is, for a command that asks it."""
    default = "with neither this nor --redis: the environment's SCHOOLBELL_URL"
    if not beside_redis:
        default = "default: the environment's SCHOOLBELL_URL, else http://127.0.0.1:8000"
    parser.add_argument("--url", type=_http_url, metavar="URL", help=f"the service ({default})")
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help="whose jobs they are (default: the environment's SCHOOLBELL_TOKEN, which others "
        "on the machine cannot see)",
    )


def asks_service(args: argparse.Namespace) -> bool:
    """Tell whether a command that may ask a Redis server is to ask a service."""
    if args.url is None and args.redis is None:
        args.url = os.environ.get("SCHOOLBELL_URL") or None
    return args.url is not None


def client_of(args: argparse.Namespace) -> "Client":
    """Return who asks the service."""
    try:
        with needing("asking a service", "service"):
            from ..service.client.client import Client
    except ModuleNotFoundError as error:
        fail(args, str(error))
    return Client(args.url, args.token)


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"must be as http://127.0.0.1:8000, got {text!r}")
    return text
