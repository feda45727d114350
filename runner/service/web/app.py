"""The web application of a service."""

import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI

from ....callbacks.remote.redis_connection import check_server, resolved_url
from ..settings import Settings
from . import job_routes, page_routes
from .guard import LOOPBACK, Guard
from .problem import add_handlers
from .service import Service
from .tokens import Tokens


def create_app(
    folder: str | os.PathLike[str] | Settings,
    redis: str | None = None,
    *,
    tokens: Mapping[str, str] | Tokens | None = None,
    hosts: Iterable[str] | None = None,
    **settings: Any,
) -> FastAPI:
    """Make the web application of a service: jobs by HTTP, their events, and a page.

    It starts no worker: ``schoolbell worker`` does, on this machine or others.

    Parameters
    ----------
    folder
        Where jobs are kept, shared with the workers; or all settings together.
    redis
        URL of the Redis server; the environment's ``REDIS_URL`` by default.
    tokens
        Tokens by their owners' names; without any, everybody who reaches the
        application may do everything.
    hosts
        What the service is called, without ports. By default anything where there
        are tokens, and this machine's own names where there are none.
    **settings
        Limits, as `Settings` has them.

    Returns
    -------
    FastAPI
        An ASGI application: to be run by uvicorn, or mounted in another, which
        reaches the same jobs by its ``state.service``: ``start_job`` and ``awatch``.

    Raises
    ------
    RedisUnavailableError
        If there is no URL, or the server cannot be used.
    ValueError
        For settings and tokens that make no sense.

    Examples
    --------
    Mounted in an application of one's own, under ``/timetables``::

        app = FastAPI()
        app.mount("/timetables", create_app("jobs", "redis://localhost:6379"))
    """
    if isinstance(folder, Settings):
        told = folder
    else:
        from ...watching.watch import known_url

        told = Settings(folder=folder, redis=known_url(resolved_url(redis)), **settings)  # pyright: ignore[reportArgumentType] - made a path there
    check_server(told.redis)
    known = tokens if isinstance(tokens, Tokens) else Tokens(tokens)
    if hosts is None and not known:
        hosts = LOOPBACK
    service = Service(told, known)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        service.stop()

    app = FastAPI(
        title="schoolbell",
        summary="Start timetabling jobs, watch them, steer them and fetch them.",
        version=version("schoolbell"),
        openapi_url="/v1/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(job_routes.router)
    app.include_router(job_routes.metrics_router)
    app.include_router(page_routes.router)
    add_handlers(app)
    app.add_middleware(Guard, hosts=hosts, max_upload=told.max_upload)
    return app
