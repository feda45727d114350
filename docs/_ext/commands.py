"""A directive that documents a command line from its parser."""

import argparse
import inspect
from collections.abc import Iterator
from importlib import import_module

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.nodes import nested_parse_with_titles


class Commands(Directive):
    """Documents the commands of ``package.module:function``, which returns the program's parser.

    The text under a command is its description, a line of usage, what it takes and what its
    help says below that, as it stands there.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        module, function = self.arguments[0].split(":")
        parser = getattr(import_module(module), function)()
        source = StringList(list(_program(parser)), self.arguments[0])
        parsed = nodes.section()
        nested_parse_with_titles(self.state, source, parsed, self.content_offset)
        return parsed.children


def _program(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from _command(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from (command.prog, "-" * len(command.prog), "")
                yield from _command(command)


def _command(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the reStructuredText of one command."""
    formatter = argparse.HelpFormatter(parser.prog, width=80)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    yield from (_text(parser.description or ""), "")
    yield from _block(formatter.format_help(), "sh")
    yield from (f".. program:: {parser.prog}", "")
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(
            action, argparse._HelpAction | argparse._SubParsersAction
        ):
            continue
        yield f".. option:: {_signature(action)}"
        yield ""
        yield f"   {_text(action.help or '')}"
        yield ""
    if parser.epilog:
        yield from _block(parser.epilog, "text")


def _signature(action: argparse.Action) -> str:
    metavar = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    if not action.option_strings:
        return f"[{metavar}]" if action.nargs == "?" else metavar
    value = "" if action.nargs == 0 else f" [{metavar}]" if action.nargs == "?" else f" {metavar}"
    return ", ".join(f"{option}{value}" for option in action.option_strings)


def _block(text: str, language: str) -> Iterator[str]:
    yield from (f".. code-block:: {language}", "")
    yield from (f"   {line}".rstrip() for line in inspect.cleandoc(text).splitlines())
    yield ""


def _text(words: str) -> str:
    """Return help's words on one line, with nothing in them that reStructuredText would read."""
    words = words.replace("%%", "%")
    return " ".join("".join(f"\\{sign}" if sign in "*`_|\\" else sign for sign in words).split())


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("commands", Commands)
    return {"parallel_read_safe": True}
