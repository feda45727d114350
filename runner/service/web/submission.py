"""Requests that carry files, as JSON or as a form."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from ....callbacks.names import did_you_mean
from ..jobs.job_request import JobRequest
from .problem import Problem

_FIELDS = ("instance", "name", "formulation", "seed", "time_limit", "parameters")
_MOST_FIELDS = 20

_PROPERTIES: dict[str, Any] = {
    "instance": {"type": "string", "description": "The text of a .ctt, .ectt or .xml file."},
    "name": {"type": "string", "maxLength": 100, "description": "What people call the job."},
    "formulation": {
        "type": "string",
        "default": "UD2",
        "description": "UD1 to UD5, but not for a university.",
    },
    "seed": {"type": "integer", "minimum": 0, "default": 0},
    "time_limit": {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "description": "Seconds; without it every stage spends its own units.",
    },
    "parameters": {"type": "object", "description": 'Of the stages, as {"ga.population": 8}.'},
}


def body_schema(properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    """Return the description of a body that comes as JSON or as a form."""
    schema = {"type": "object", "properties": dict(properties), "required": required}
    form = {
        name: {"type": "string", "format": "binary"} if name in required else one
        for name, one in properties.items()
    }
    content = {
        "application/json": {"schema": schema},
        "multipart/form-data": {"schema": {**schema, "properties": form}},
    }
    return {"requestBody": {"required": True, "content": content}}


JOB_BODY = body_schema(_PROPERTIES, ["instance"])
VALIDATE_BODY = body_schema(
    {
        "instance": _PROPERTIES["instance"],
        "solution": {
            "type": "string",
            "description": "A line per lecture: course room day slot; or XML.",
        },
        "formulation": _PROPERTIES["formulation"],
    },
    ["instance", "solution"],
)


async def read_job(request: Request, most: int) -> tuple[JobRequest, bytes]:
    """Read what is asked for with a job, and its instance."""
    fields = await read_fields(request, _FIELDS, most)
    instance = as_file(fields, "instance")
    values = {name: fields[name] for name in _FIELDS[1:] if name in fields}
    if "form" in request.headers.get("content-type", ""):
        values = {name: _of_form(name, one) for name, one in values.items()}
        values = {name: one for name, one in values.items() if one is not None}
    try:
        return JobRequest(**values), instance
    except ValueError as error:
        raise Problem(422, str(error)) from None


async def read_fields(request: Request, known: tuple[str, ...], most: int) -> dict[str, Any]:
    """Read a body as JSON or as a form; files become bytes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("application/json", ""):
        found = _json(await request.body(), "the body")
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        form = request.form(max_files=2, max_fields=_MOST_FIELDS, max_part_size=most)
        async with form as parts:
            found = {
                name: await one.read() if isinstance(one, UploadFile) else one
                for name, one in parts.items()
            }
    else:
        words = "application/json or multipart/form-data"
        raise Problem(415, f"found the content type {kind[:60]!r}, expected {words}")
    if not isinstance(found, dict):
        raise Problem(422, "found a body that is no object, expected one")
    for name in found:
        if name not in known:
            words = f"found the field {name[:60]!r}, expected one of {', '.join(known)}"
            raise Problem(422, words + did_you_mean(name, known))
    return found


def as_file(fields: Mapping[str, Any], name: str) -> bytes:
    """Return the contents of a file that must be there."""
    value = fields.get(name)
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise Problem(422, f"{name} must be a text, got half a character") from None
    if not isinstance(value, bytes):
        raise Problem(422, f"{name} must be the contents of a file, got {type(value).__name__}")
    return value


def as_text(fields: Mapping[str, Any], name: str, default: str) -> str:
    """Return a text that may be there."""
    value = fields.get(name, default)
    if isinstance(value, bytes) or not isinstance(value, str):
        raise Problem(422, f"{name} must be a text, got {type(value).__name__}")
    return value


def _of_form(name: str, value: Any) -> Any:
    """Return a field of a form as the value that its text stands for; None for an empty one."""
    if isinstance(value, bytes):
        raise Problem(422, f"{name} must be a text, got a file")
    if name in ("name", "formulation"):
        return value or None
    return _json(value.encode(errors="replace"), name) if value.strip() else None


def _json(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(422, f"{what} must be JSON, got {text[:40]!r}") from None
