"""What makes compiled kernels stale: any edit of what they take in, wherever it stands."""

import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import schoolbell
import schoolbell.stages
from schoolbell.stages.search.sources import fingerprint

PACKAGE = Path(schoolbell.stages.__file__).parent
TAUGHT = ("numba.core.compiler", "numba.extending", "njit(")
DECORATORS = ("inner", "kernel", "intrinsic")

# Imports a copy of the package anew after each edit, and tells which kernels it concerns.
EDIT_EACH = """
import importlib, json, sys
from pathlib import Path

root, files, modules = Path(sys.argv[1]), *map(json.loads, sys.argv[2:])

def stamps():
    for name in [name for name in sys.modules if name.startswith("schoolbell")]:
        del sys.modules[name]
    from schoolbell.stages.search.sources import fingerprint
    found = {}
    for module in modules:
        for name, value in vars(importlib.import_module(module)).items():
            if hasattr(value, "py_func") and "KernelCache" in type(value._cache).__name__:
                function = value.py_func
                found[f"{function.__module__}:{function.__qualname__}"] = fingerprint(function)
    return found

before, concerned = stamps(), {}
for file in files:
    path = root / file
    text = path.read_text()
    path.write_text(text + "\\nEDITED = True\\n")
    after = stamps()
    concerned[file] = [name for name in before if before[name] != after[name]]
    path.write_text(text)
print(json.dumps([list(before), concerned, stamps() == before]))
"""

DRAW_A_ROOM = """
import numpy as np
from schoolbell.stages.timetable import Formulation, generate
from schoolbell.stages.timetable.search import build_search_problem
from schoolbell.stages.search.compiling import kernel_of
from schoolbell.stages.timetable.search.proposals import cell_room

problem = build_search_problem(generate(20, seed=1), Formulation.UD2)
print(kernel_of(cell_room)(problem, np.uint64(0)))
"""


def decorated(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(one, ast.Name) and one.id in DECORATORS for one in node.decorator_list
    )


class Bindings:
    """What the modules of the package bind at their top, read from their text alone."""

    def __init__(self) -> None:
        self.trees = {path: ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")}
        self.bound: dict[tuple[Path, str], ast.AST] = {}
        self.imported: dict[tuple[Path, str], tuple[Path, str]] = {}
        for path, tree in self.trees.items():
            for node in tree.body:
                self._bind(path, node)

    def _bind(self, path: Path, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef):
            self.bound[path, node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        self.bound[path, name.id] = node
        elif isinstance(node, ast.ImportFrom) and node.level:
            folder = path.parents[node.level - 1]
            module = folder.joinpath(*(node.module or "").split("."))
            for alias in node.names:
                origin = module.with_suffix(".py"), alias.name
                self.imported[path, alias.asname or alias.name] = origin

    def with_compiled_functions(self) -> list[Path]:
        """Find the files that define functions which are compiled, or teach the compiler."""
        return [
            path
            for path, tree in self.trees.items()
            if any(map(decorated, ast.walk(tree)))
            or any(mark in path.read_text() for mark in TAUGHT)
        ]

    def compiled_files(self, origin: tuple[Path, str]) -> set[Path]:
        """Find the files of all compiled functions that one takes in, itself included."""
        seen: set[tuple[Path, str]] = set()
        left = [origin]
        while left:
            one = left.pop()
            one = self.imported.get(one, one)
            if one in seen or one not in self.bound:
                continue
            seen.add(one)
            names = {node.id for node in ast.walk(self.bound[one]) if isinstance(node, ast.Name)}
            left += [(one[0], name) for name in names]
        return {one[0] for one in seen if any(map(decorated, ast.walk(self.bound[one])))}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package to edit, without what has been compiled."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        PACKAGE, root / "schoolbell" / "stages", ignore=shutil.ignore_patterns("__pycache__")
    )
    # Without it the installed package would be found, and not the copy.
    for path in Path(schoolbell.__file__).parent.glob("*.py"):
        shutil.copy(path, root / "schoolbell")
    return root


def run_in(copy: Path, script: str, *arguments: str) -> str:
    # What has not been edited is read as bytecode; every edit here changes a file's size.
    left_out = ("NUMBA", "PYTHONDONTWRITEBYTECODE")
    environment = {
        name: text for name, text in os.environ.items() if not any(one in name for one in left_out)
    }
    environment |= {"PYTHONPATH": str(copy)}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        cwd=copy,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout


def test_an_edit_of_any_file_with_compiled_functions_makes_the_kernels_stale_that_use_it(
    copy: Path,
) -> None:
    bindings = Bindings()
    files = sorted(bindings.with_compiled_functions())
    assert {path.stem for path in files} >= {"greedy", "assignment", "terms", "bits", "compiling"}
    relative = [str(Path("schoolbell", "stages", path.relative_to(PACKAGE))) for path in files]
    modules = [name.removesuffix(".py").replace(os.sep, ".") for name in relative]
    kernels, concerned, as_before = json.loads(
        run_in(copy, EDIT_EACH, str(copy), json.dumps(relative), json.dumps(modules))
    )
    assert as_before
    assert len(kernels) > 10
    taken = {}
    for kernel in kernels:
        module, name = kernel.split(":")
        path = PACKAGE.joinpath(*module.split(".")[2:]).with_suffix(".py")
        taken[kernel] = bindings.compiled_files((path, name)) | {path}
    for file, path in zip(relative, files, strict=True):
        users = {kernel for kernel in kernels if path in taken[kernel]}
        assert users <= set(concerned[file]), file
        assert concerned[file], file
    # And no more than need be.
    sweep = "schoolbell.stages.timetable.search.building.room_assignment:_sweep"
    assert (
        sweep
        not in concerned[
            relative[modules.index("schoolbell.stages.timetable.search.building.greedy")]
        ]
    )


def test_an_edited_callee_in_another_file_gives_the_new_result(copy: Path) -> None:
    assert run_in(copy, DRAW_A_ROOM) == "0\n"
    path = copy / "schoolbell" / "stages" / "search" / "random.py"
    text = path.read_text()
    path.write_text(
        text.replace("* n) >> uint64(16)", "* n + (uint64(1) << uint64(16))) >> uint64(16)")
    )
    assert run_in(copy, DRAW_A_ROOM) == "1\n"
    path.write_text(text)


FILES = {
    "constants": "RATE = 3\nTABLE = np.array([1, 2])\nclass Kind(IntEnum):\n    ODD = 5\n",
    "callees": """
@inner
def twice(x):
    return 2 * x

def proposer(judge):
    @inner
    def propose(x):
        return judge(x)
    return propose
""",
    "judges": "@inner\ndef first(x):\n    return x + 1\n",
    "kernels": """
from callees import proposer, twice
from constants import RATE, TABLE, Kind
import constants
import judges

propose = proposer(judges.first)

@kernel
def work(x):
    return twice(x) * RATE + TABLE[1] + Kind.ODD + propose(x) + constants.RATE
""",
}
HEAD = """from enum import IntEnum
import numpy as np
from schoolbell.stages.search.compiling import inner, kernel
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, text in FILES.items():
        (tmp_path / f"{name}.py").write_text(HEAD + text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in FILES:
        sys.modules.pop(name, None)


def called() -> tuple[int, bool]:
    """Return what the kernel of the modules returns in a new process, and whether it was there."""
    for name in FILES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    work = importlib.import_module("kernels").work
    return int(work(10)), sum(work.stats.cache_hits.values()) == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "result"),
    [
        ("constants", "RATE = 3", "RATE = 4", 102),
        ("constants", "[1, 2]", "[1, 7]", 86),
        ("constants", "ODD = 5", "ODD = 7", 83),
        ("callees", "2 * x", "3 * x", 111),
        ("judges", "x + 1", "x + 2", 82),
        ("kernels", "propose(x)", "propose(x) + 1", 82),
    ],
)
def test_constants_callees_and_functions_in_closures_are_compiled_in_anew(
    modules: Path, file: str, old: str, new: str, result: int
) -> None:
    assert called() == (81, False)
    assert called() == (81, True)
    path = modules / f"{file}.py"
    path.write_text(path.read_text().replace(old, new))
    assert called() == (result, False)
    assert called() == (result, True)


def test_a_file_that_is_edited_after_its_import_does_not_pass_for_what_was_compiled(
    modules: Path,
) -> None:
    for name in FILES:
        sys.modules.pop(name, None)
    kernels = importlib.import_module("kernels")
    path = modules / "callees.py"
    path.write_text(path.read_text().replace("2 * x", "3 * x"))
    assert kernels.work(10) == 81
    assert called() == (111, False)


def test_a_fingerprint_is_the_same_in_every_process(copy: Path) -> None:
    from schoolbell.stages.timetable.search.annealing import run_moves

    script = (
        "from schoolbell.stages.timetable.search.annealing import run_moves\n"
        "from schoolbell.stages.search.sources import fingerprint\n"
        "print(fingerprint(run_moves.py_func))"
    )
    assert run_in(copy, script).strip() == fingerprint(run_moves.py_func)
