"""Arguments that several commands take."""

import argparse
import math
from collections.abc import Callable
from typing import Any


def _number(
    convert: Callable[[str], float], accept: Callable[[float], bool], wanted: str
) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = convert(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"must be {wanted}, got {text!r}")
        return value

    return parse


def of_fit(check: str, convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return what reads an argument of `Pipeline.fit`, with the check that it has there."""

    def parse(text: str) -> Any:
        from .. import fit_arguments

        try:
            value = convert(text)
        except ValueError:
            value = text
        try:
            getattr(fit_arguments, check)(value, "")
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error).strip()) from None
        return value

    return parse


seconds = _number(float, lambda x: 0 < x < math.inf, "a positive number of seconds")
count = _number(int, lambda x: x > 0, "a whole number of 1 or more")
seed = _number(int, lambda x: x >= 0, "a whole number of 0 or more")


def redis_url(text: str) -> str:
    # Above all the instance, which must not be taken for what --redis may be given.
    if "://" not in text:
        raise argparse.ArgumentTypeError(
            f"must be a URL such as redis://localhost:6379, got {text!r}; "
            "--redis alone, to start a server, goes behind the instance"
        )
    return text


def add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--redis",
        type=redis_url,
        metavar="URL",
        help="the Redis server (default: the environment's REDIS_URL)",
    )
    parser.add_argument(
        "--prefix",
        default="schoolbell",
        metavar="NAME",
        help="what the keys begin with (default: schoolbell)",
    )


def add_formulation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--formulation",
        default="UD2",
        metavar="NAME",
        help="the constraints that count: UD1, UD2, UD3, UD4 or UD5 (default: UD2); what they "
        "mean is at the end of schoolbell fit --help",
    )
