"""The parser of the program and of each command."""

import argparse
from collections.abc import Iterable
from typing import Any, NoReturn, TypeAlias

BAD_INPUT = 2
"""Exit status for what cannot be understood or is not as it should be."""

EXIT_STATUS = """\
exit status:
  0    done; for fit and validate: the timetable is feasible
  1    failed, no timetable found, one that is not feasible, or the output could not be
       printed
  2    bad input, told in one line on stderr
  130, 143, 129
       interrupted by Ctrl-C, SIGTERM, SIGHUP; fit has written the best timetable so far
  141  nobody read the output to its end, of a command other than fit
"""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        self.exit(BAD_INPUT, f"{self.prog}: {line} (see {self.prog} --help)\n")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Parse arguments, and complain about unknown options where those that exist are known."""
        known, rest = super().parse_known_args(args, namespace)
        options = [one.partition("=")[0] for one in rest if one.startswith("--")]
        for option in options:
            if advice := _did_you_mean(option, self._option_string_actions):
                self.error(f"unrecognized arguments: {' '.join(rest)}{advice}")
        return known, rest

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += _did_you_mean(value, map(str, action.choices or ()))
            raise


def fail(args: argparse.Namespace, message: str) -> NoReturn:
    """End the program with a complaint of the command whose arguments these are."""
    parser: Parser = args.parser
    parser.error(message)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    from ...callbacks.names import did_you_mean

    return did_you_mean(name, known)


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
"""Where a command adds its parser."""
