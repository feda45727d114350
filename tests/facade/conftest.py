"""The project as it is installed."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("callbacks", "stages", "runner", "facade")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what an installation is made from."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.cfg", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


def installed(checkout: Path, build: str) -> Path:
    """Build as pip does, and unpack as pip does."""
    code = f"from setuptools.build_meta import {build}; print({build}('.'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=checkout, check=True, capture_output=True, text=True
    )
    folder = checkout.parent / build
    with zipfile.ZipFile(checkout / done.stdout.splitlines()[-1]) as wheel:
        wheel.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def wheel(checkout: Path) -> Path:
    """A folder in which the project's wheel is installed."""
    return installed(checkout, "build_wheel")


@pytest.fixture(scope="session")
def editable(checkout: Path) -> Path:
    """A folder in which the copy is installed as by ``pip install -e``."""
    return installed(checkout, "build_editable")
