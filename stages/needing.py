"""What is said where a package is missing that only some of this one needs."""

from collections.abc import Iterator
from contextlib import contextmanager

# Packages by what is imported of them, where that has another name.
_PACKAGES = {"community": "python-louvain", "sklearn": "scikit-learn"}


@contextmanager
def needing(what: str, extra: str | None = None) -> Iterator[None]:
    """Let what is imported within be told of with the way to install it, if it is missing.

    Parameters
    ----------
    what
        What needs it, as the message begins.
    extra
        The extra of this package that brings it; None for what is installed by its own name.

    Raises
    ------
    ModuleNotFoundError
        With that message.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if not module or module == "schoolbell":
            raise
        package = _PACKAGES.get(module, module)
        wanted = f"'schoolbell[{extra}]'" if extra else package
        raise ModuleNotFoundError(
            f"{what} needs {package}, which is not installed: pip install {wanted}",
            name=error.name,
        ) from error
