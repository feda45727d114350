"""Fixtures that all tests share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def cbctt() -> Path:
    """Folder of the shared timetabling instances."""
    folder = ROOT.parent / "shared" / "data" / "cbctt"
    if not folder.is_dir():
        pytest.skip(f"the shared instances are not there: {folder}")
    return folder
