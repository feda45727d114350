"""A worker that ``serve`` starts, as a program of its own."""

from ..settings import Settings
from .work import work

if __name__ == "__main__":
    work(Settings.from_environment())
