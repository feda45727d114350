"""A directive that draws the packages' exceptions as a tree."""

import inspect
from importlib import import_module

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx


class ErrorTree(Directive):
    """Lists the public exceptions of the packages in its content, each below what it derives from.

    One that derives from two stands below the first; the others are named beside it.
    """

    has_content = True

    def run(self) -> list[nodes.Node]:
        doors: dict[type, str] = {}
        for package in self.content:
            module = import_module(package.strip())
            for name in module.__all__:
                one = getattr(module, name)
                if isinstance(one, type) and issubclass(one, BaseException):
                    doors.setdefault(one, module.__name__)
        children: dict[type, list[type]] = {}
        for error in doors:
            while error is not BaseException:
                parent = error.__bases__[0]
                below = children.setdefault(parent, [])
                if error in below:
                    break
                below.append(error)
                error = parent
        lines = list(_lines(Exception, children, doors, 0))
        parsed = nodes.Element()
        self.state.nested_parse(StringList(lines, "errors"), self.content_offset, parsed)
        return parsed.children


def _lines(error, children, doors, depth):
    """Yield the lines of a list in reStructuredText, an item for each exception."""
    indent = "  " * depth
    if error in doors:
        others = [f":py:exc:`{one.__name__}`" for one in error.__bases__[1:]]
        also = f" (also {', '.join(others)})" if others else ""
        summary = (inspect.getdoc(error) or "").partition("\n")[0]
        yield f"{indent}* :py:exc:`~{doors[error]}.{error.__name__}`{also}: {summary}"
    else:
        yield f"{indent}* :py:exc:`{error.__name__}`"
    yield ""
    for child in sorted(children.get(error, ()), key=lambda one: one.__name__):
        yield from _lines(child, children, doors, depth + 1)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("error-tree", ErrorTree)
    return {"parallel_read_safe": True}
