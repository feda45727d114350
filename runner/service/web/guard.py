"""What every request goes through: whence it comes, how large it is, what browsers are told."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problem import Problem

LOOPBACK = ("localhost", "127.0.0.1", "::1", "testserver")
"""What a service on this machine alone may be called by a browser."""

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what no honest client sends, and adds the headers of security.

    Parameters
    ----------
    app
        What is guarded.
    hosts
        What the service may be called, without ports; None for anything. A page
        elsewhere that has its own name lead here is refused by that.
    max_upload
        Most bytes of a request.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] | None, max_upload: int) -> None:
        self._app = app
        self._hosts = None if hosts is None else {host.lower() for host in hosts}
        self._max_upload = max_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be the ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        size = 0

        async def receive_measured() -> Message:
            nonlocal size
            message = await receive()
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                if size > self._max_upload:
                    raise self._too_large()
            return message

        problem = self._problem(scope)
        if problem is None:
            await self._app(scope, receive_measured, send_guarded)
        else:
            await problem.response()(scope, receive, send_guarded)

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = _host(headers.get("host", ""))
        if self._hosts is not None and host not in self._hosts:
            return Problem(403, "found another name in the header Host, expected this service's")
        if scope["method"] not in _SAFE_METHODS and not _is_own(headers, host):
            return Problem(403, "found a request that another site's page has made, expected none")
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return Problem(400, "found no number in the header Content-Length, expected one")
        return self._too_large() if int(length[:20]) > self._max_upload else None

    def _too_large(self) -> Problem:
        most = f"{self._max_upload:,}"
        # What is left of the body nobody reads.
        return Problem(
            413,
            f"found a larger request, expected at most {most} bytes",
            None,
            {"Connection": "close"},
        )


def _host(value: str) -> str:
    try:
        return urlsplit(f"//{value}").hostname or ""
    except ValueError:
        return ""


def _is_own(headers: Any, host: str) -> bool:
    """Tell whether a request is one of the service's own page, or of a program."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        # The browser itself says so, also where a proxy has put another name into Host.
        return site in ("none", "same-origin")
    origin = headers.get("origin")
    return origin is None or _same(origin, headers.get("host", ""), host)


def _same(origin: str, host_and_port: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        return parts.hostname == host and parts.netloc.lower() == host_and_port.lower()
    except ValueError:
        return False
