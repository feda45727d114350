"""HTML from templates, in which every value is escaped."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


# Pages and parts of pages that several templates build upon.
_SHARED = Path(__file__).parents[1] / "views"


def render(template: Path, **values: Any) -> str:
    """Fill in a template of jinja2.

    Texts are escaped; what is HTML already must come as ``markupsafe.Markup``,
    or through ``safe`` in the template. ``tojson`` gives what may stand in a
    script element.

    Parameters
    ----------
    template
        The file, beside the module that it belongs to; it may extend and include what
        stands beside it or in ``stages/views``.
    values
        What the template names; a name without a value is an error.
    """
    return _environment(template.parent).get_template(template.name).render(values)


@cache
def _environment(folder: Path) -> "Environment":
    # Here, since few runs draw anything.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, _SHARED]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment
