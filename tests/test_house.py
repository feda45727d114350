"""The rules of the three packages, read from their source."""

import ast
import configparser
import importlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("callbacks", "stages", "runner")
DOORS = (
    "callbacks",
    "runner",
    "runner.service",
    "stages",
    "stages.timetable",
    "stages.university",
)
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, relative names resolved."""
    package = ("schoolbell", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (node.module,) if node.module else ()
            yield from (
                (node.lineno, ".".join((*base, *module, alias.name))) for alias in node.names
            )


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.fixture
def laid_out(tmp_path):
    """The sources in one folder, as a wheel installs them."""
    shutil.copytree(ROOT / "facade", tmp_path / "schoolbell")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / "schoolbell" / package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Look at the contracts of pyproject.toml, in the order in which it names them."""
    code = (
        "from importlinter.cli import lint_imports as lint; raise SystemExit(lint(no_cache=True))"
    )
    environment = os.environ | {"PYTHONPATH": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_modules_import_what_their_layer_may_know(laid_out):
    done = lint_imports(laid_out)
    assert done.returncode == 0, done.stdout + done.stderr
    # An import within a function counts as well.
    with (laid_out / "schoolbell" / "stages" / "pulse.py").open("a", encoding="utf-8") as file:
        file.write("\n\ndef late():\n    from .timetable.model import room\n")
    assert lint_imports(laid_out).returncode == 1


def test_no_module_asks_the_door_of_its_own_package():
    # It would be a circle that nobody sees: a door imports its modules when it is asked.
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        if path.name != "__init__.py"
        for line, name in imported(path)
        for door in (f"schoolbell.{one}" for one in DOORS)
        if name.rpartition(".")[0] == door
        and name.rpartition(".")[2] in importlib.import_module(door).__all__
        and ".".join(("schoolbell", *path.relative_to(ROOT).parts)).startswith(f"{door}.")
    ]
    assert not wrong


def test_a_folder_holds_a_few_modules():
    folders = Counter(path.parent for path in MODULES)
    rooms = {folder.parent for folder in folders}
    assert not {str(folder): number for folder, number in folders.items() if number > 16}
    # One module and nothing else needs no folder.
    alone = {folder for folder, number in folders.items() if number <= 2} - rooms
    assert not alone


def test_no_small_module_has_a_single_reader_that_could_hold_it():
    readers = Counter(
        name
        for path in MODULES
        for name in {
            one for _, found in imported(path) for one in (found, found.rpartition(".")[0])
        }
    )
    wrong = []
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        name = ".".join(("schoolbell", *path.relative_to(ROOT).with_suffix("").parts))
        classes = any(isinstance(node, ast.ClassDef) for node in ast.parse(text).body)
        # A class has a file of its own, and what is a program is nobody's.
        if len(text.splitlines()) < 15 and readers[name] == 1 and not classes:
            wrong.append(name)
    assert not wrong


def test_tests_stand_in_the_same_rooms_as_what_they_test():
    rooms: dict[str, set[Path]] = {}
    for path in MODULES:
        rooms.setdefault(path.stem, set()).add(path.parent.relative_to(ROOT))
    wrong = []
    for test in (path for one in PACKAGES for path in (ROOT / "tests" / one).rglob("*.py")):
        room = test.parent.relative_to(ROOT / "tests")
        named = set(rooms.get(test.stem.removeprefix("test_"), ()))
        named = {one for one in named if one.is_relative_to(room.parts[0])}
        if not (ROOT / room).is_dir() or (named and room not in named):
            wrong.append(str(test.relative_to(ROOT)))
    assert not wrong


def test_what_callbacks_and_stages_both_have_is_the_same_text_and_no_more_than_this():
    # Neither may import the other, and what both need is too little for a fourth package.
    texts: dict[str, list[Path]] = {}
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > 3:
            texts.setdefault(text, []).append(path.relative_to(ROOT))
    twice = [[path.as_posix() for path in paths] for paths in texts.values() if len(paths) > 1]
    assert twice == [
        ["callbacks/background/needing.py", "stages/needing.py"],
        ["callbacks/names.py", "stages/names.py"],
        ["callbacks/recording/fonts.py", "stages/views/fonts.py"],
    ]


def test_packages_import_each_other_relatively():
    wrong = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            wrong += [
                f"{path.relative_to(ROOT)}:{node.lineno} imports {name}"
                for name in names
                if name.split(".")[0] in ("schoolbell", *PACKAGES)
            ]
    assert not wrong


def test_every_package_is_listed_for_the_wheel():
    listed = set(setup_cfg()["options"]["packages"].split())
    present = {
        ".".join(("schoolbell", *path.relative_to(ROOT).parent.parts))
        for path in MODULES
        if path.name == "__init__.py"
    }
    assert listed == present | {"schoolbell"}
    without_init = {path.parent for path in MODULES} - {
        path.parent for path in MODULES if path.name == "__init__.py"
    }
    assert not without_init


def test_every_module_has_a_docstring():
    bare = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not bare


@pytest.mark.parametrize("door", DOORS)
def test_a_package_gives_what_it_says_though_it_imports_it_late(door):
    script = f"""
import importlib
import schoolbell.{door} as door
modules = getattr(door, "_MODULES", dict.fromkeys(door.__all__, "__init__"))
assert sorted(modules) == sorted(door.__all__)
assert not set(modules) & set(modules.values())
for module in sorted(set(modules.values())):
    importlib.import_module("." + module, door.__name__)
found = {{name: getattr(door, name) for name in door.__all__}}
assert all(one.__name__ == name for name, one in found.items() if name != "Logs"), found
assert set(door.__all__) <= set(dir(door))
assert not hasattr(door, "Timetables")
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("door", DOORS)
def test_a_public_class_has_the_name_of_the_package_that_gives_it(door):
    package = importlib.import_module(f"schoolbell.{door}")
    public = [getattr(package, name) for name in package.__all__]
    doors = {f"schoolbell.{one}" for one in DOORS}
    for one in public:
        if isinstance(one, type) and one.__module__ != package.__name__:
            # It is another package's, which gives it too.
            assert one.__module__ in doors
            assert getattr(sys.modules[one.__module__], one.__name__) is one


def test_a_public_class_has_a_file_of_its_own_named_after_it():
    wrong = []
    for package in (*PACKAGES, "stages/timetable", "stages/university"):
        init = ROOT / package / "__init__.py"
        for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.level != 1 or node.module == "errors":
                continue
            source = init.parent.joinpath(*node.module.split(".")).with_suffix(".py")
            tree = ast.parse(source.read_text(encoding="utf-8"))
            classes = {item.name for item in tree.body if isinstance(item, ast.ClassDef)}
            public = sorted(classes & {alias.name for alias in node.names})
            if public and [name.lower() for name in public] != [source.stem.replace("_", "")]:
                wrong.append((str(source.relative_to(ROOT)), public))
    assert not wrong


def test_the_frame_loads_no_problem_and_nothing_that_is_heavy():
    beyond = ("runner/cli", "runner/service", "runner/timetabling.py", "stages/search")
    problems = ("stages/timetable", "stages/university")
    frame = [
        ".".join(("schoolbell", *path.relative_to(ROOT).with_suffix("").parts))
        for path in MODULES
        if not path.relative_to(ROOT).as_posix().startswith((*beyond, *problems))
    ]
    script = f"""
import importlib, sys
for name in {frame}:
    importlib.import_module(name.removesuffix(".__init__"))
heavy = ("numba", "ortools", "networkx", "community", "gymnasium", "matplotlib", "pandas")
more = ("redis", "rich", "tqdm", "tensorboardX", "schoolbell.stages.timetable")
wrong = [name for name in (*heavy, *more, "schoolbell.stages.university") if name in sys.modules]
assert not wrong, wrong
"""
    subprocess.run([sys.executable, "-c", script], check=True)
