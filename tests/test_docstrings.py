"""The examples in docstrings, run as a reader would run them, and the names of parameters."""

import ast
import doctest
import importlib
import importlib.util
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("callbacks", "stages", "runner")
MODULES = sorted(
    ".".join(("schoolbell", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(
        ".__init__"
    )
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if path.name != "__main__.py"
)
WITH_EXAMPLES = [
    name
    for name in MODULES
    if ">>>" in Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8")
]


def defined(module):
    """The functions and classes that a module's source makes."""
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    return [getattr(module, node.name) for node in tree.body if isinstance(node, kinds)]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_do_what_they_show(name, tmp_path, monkeypatch):
    from schoolbell.callbacks import RedisUnavailableError
    from schoolbell.callbacks.remote.embedded_redis import find_program

    module = importlib.import_module(name)
    if "RedisLogger" in inspect.getsource(module):
        try:
            find_program()
        except RedisUnavailableError as error:
            pytest.skip(str(error))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for one in defined(module):
        # Not of a module: a public class has the package's name as its module.
        for test in doctest.DocTestFinder().find(one, module=False, globs=dict(vars(module))):
            runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


def test_no_example_is_passed_over():
    sources = [Path(importlib.util.find_spec(name).origin) for name in WITH_EXAMPLES]
    assert sources
    assert not [path for path in sources if "+SKIP" in path.read_text(encoding="utf-8")]


def documented(docstring):
    """The names under "Parameters" of a docstring."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.M | re.S)
    if section is None:
        return []
    lines = section[1].replace("\\\n", "").splitlines()
    heads = [line for line in lines if line and not line.startswith(" ")]
    return [name.strip().lstrip("*") for line in heads for name in line.split(",") if name.strip()]


def callables(module):
    for one in defined(module):
        if inspect.isclass(one):
            yield one.__qualname__, one, one.__init__
            for name, method in vars(one).items():
                function = getattr(method, "__func__", method)
                if inspect.isfunction(function):
                    yield f"{one.__qualname__}.{name}", function, function
        elif inspect.isfunction(inspect.unwrap(one)):
            yield one.__qualname__, one, one


def test_docstrings_name_no_parameter_that_there_is_not():
    wrong = []
    for name in MODULES:
        for title, one, function in callables(importlib.import_module(name)):
            names = documented(inspect.cleandoc(one.__doc__ or ""))
            if not names or not inspect.isroutine(function):
                continue
            try:
                known = set(inspect.signature(function).parameters)
            except ValueError:
                continue
            wrong += [f"{name}.{title}: {each}" for each in names if each not in known]
    assert not wrong
