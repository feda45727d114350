"""The routes of the page, and how a browser is let in."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from .problem import Problem
from .service import COOKIE, Service, TheService

router = APIRouter(include_in_schema=False)

_PAGE = Path(__file__).with_name("page")
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_FILES = {path.name: path for path in _PAGE.iterdir() if path.suffix in _TYPES}
_SECONDS = 30 * 86_400

# Not a redirect: a browser that comes from elsewhere would not send the cookie along.
_ONWARD = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=./">
<title>schoolbell</title><p><a href="./">Go on</a></p></html>
"""


@router.get("/")
def page() -> FileResponse:
    """Give the page."""
    return _file("index.html")


@router.get("/static/{name}")
def static(name: str) -> FileResponse:
    """Give a part of the page."""
    return _file(name)


def _file(name: str) -> FileResponse:
    path = _FILES.get(name)
    if path is None:
        raise Problem(404, f"there is no file {name[:60]!r}")
    return FileResponse(path, media_type=_TYPES[path.suffix], headers={"Cache-Control": "no-cache"})


@router.get("/login")
def use_link(
    request: Request, service: TheService, key: Annotated[str, Query(max_length=200)]
) -> Response:
    """Let a browser in by a one-time link."""
    owner = service.sessions.use_link(key)
    if owner is None:
        raise Problem(401, "found a link that was used or is too old, expected a new one")
    return _let_in(request, service, owner)


@router.post("/login")
def use_token(
    request: Request, service: TheService, token: Annotated[str, Form(max_length=500)]
) -> Response:
    """Let a browser in by a token."""
    owner = service.tokens.owner_of(token.strip())
    if owner is None:
        raise Problem(401, "found no token of this service, expected one")
    return _let_in(request, service, owner)


@router.post("/logout", status_code=204)
def log_out(request: Request, service: TheService) -> Response:
    """Let a browser's cookie be of no use any more."""
    session = request.cookies.get(COOKIE)
    if session:
        service.sessions.forget(session)
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path=_path(request))
    return response


def _let_in(request: Request, service: Service, owner: str) -> Response:
    response = HTMLResponse(_ONWARD)
    response.set_cookie(
        COOKIE,
        service.sessions.new_session(owner),
        max_age=_SECONDS,
        path=_path(request),
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response


def _path(request: Request) -> str:
    return request.scope.get("root_path") or "/"
