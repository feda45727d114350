"""Errors as clients read them: ``application/problem+json`` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from redis import RedisError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ....callbacks import RedisUnavailableError
from ..checking.checker import CheckError

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Why a request is not answered as asked.

    Parameters
    ----------
    status
        The HTTP status.
    detail
        What is wrong and what was expected, in words.
    more
        Further members of the answer, such as ``line``.
    headers
        Of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        more: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, more, headers)
        self.status = status
        self.detail = detail
        self.more = more or {}
        self.headers = headers

    def __str__(self) -> str:
        return self.detail

    def response(self) -> JSONResponse:
        """Return the answer."""
        content = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            **self.more,
            "detail": self.detail,
        }
        return JSONResponse(content, self.status, self.headers, MEDIA_TYPE)


def add_handlers(app: FastAPI) -> None:
    """Let an application answer with problems, whatever goes wrong."""

    @app.exception_handler(Problem)
    async def problem(request: Request, error: Problem) -> JSONResponse:
        return error.response()

    @app.exception_handler(CheckError)
    async def wrong_file(request: Request, error: CheckError) -> JSONResponse:
        return Problem(422, error.fault["detail"], error.fault).response()

    @app.exception_handler(RequestValidationError)
    async def wrong_request(request: Request, error: RequestValidationError) -> JSONResponse:
        words = [
            f"{'.'.join(str(part) for part in one['loc'][1:]) or one['loc'][0]}: {one['msg']}"
            for one in error.errors()
        ]
        return Problem(422, "; ".join(words)[:1_000]).response()

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        return Problem(error.status_code, str(error.detail), headers=headers).response()

    @app.exception_handler(RedisUnavailableError)
    @app.exception_handler(RedisError)
    async def no_redis(request: Request, error: Exception) -> JSONResponse:
        # Not in its own words, which may tell where the server is.
        words = "the service's Redis is away; try again in a moment"
        return Problem(503, words, headers={"Retry-After": "2"}).response()

    @app.exception_handler(TimeoutError)
    async def busy(request: Request, error: Exception) -> JSONResponse:
        words = "the service is too busy to read the file; try again later"
        return Problem(503, words, headers={"Retry-After": "30"}).response()

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return Problem(
            500, "the service has met an error of its own; its log tells more"
        ).response()


PROBLEMS: dict[int | str, dict[str, Any]] = {
    code: {"description": HTTPStatus(code).phrase, "content": {MEDIA_TYPE: {}}}
    for code in (400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
}
"""What every answer may be instead, for the OpenAPI description."""
