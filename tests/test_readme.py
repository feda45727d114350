"""What the README shows works as it stands there."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
SHELL = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(match[2], id=f"line-{TEXT[: match.start()].count(chr(10)) + 1}")
    for match in re.finditer(r"^```(python)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]


def test_the_readme_has_its_examples():
    assert len(BLOCKS) >= 4


@pytest.mark.parametrize("block", BLOCKS)
def test_a_python_block_runs(block, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "block.py"
    script.write_text(block, encoding="utf-8")
    runpy.run_path(str(script), run_name="__main__")


def test_links_into_the_project_lead_somewhere():
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", TEXT)
    assert targets
    assert not [target for target in targets if not (README.parent / target).exists()]


def test_every_shell_command_is_one_that_the_program_knows():
    program = Path(sys.executable).with_name("schoolbell")
    commands = re.findall(r"^schoolbell ([\w-]+) ", "".join(re.findall(SHELL, TEXT)), re.MULTILINE)
    known = {"fit", "validate", "generate", "train-agent", "watch", "jobs", "replay"}
    assert set(commands) == known
    for command in commands:
        done = subprocess.run([program, command, "--help"], capture_output=True, check=False)
        assert done.returncode == 0, command
