"""``python -m schoolbell.runner.service.serving.worker_process``: a worker that ``serve`` starts."""

from ..settings import Settings
from .work import work

if __name__ == "__main__":
    work(Settings.from_environment())
