"""The doors of asgikit: what a public module shows is what it says it shows, and nothing else."""

import ast
import builtins
import importlib
import inspect
import itertools
import pickle
import pkgutil
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import asgikit.errors
from tests.architecture.walk import MODULES, PUBLIC_MODULES, documented, exports, has_home, is_public, load

ROOT = Path(__file__).parents[2]

# PEP 3333 has its types in the standard library; the room of types shows them beside its own.
OF_THE_STANDARD_LIBRARY = {"asgikit.spec.StartResponse", "asgikit.spec.WSGIEnvironment"}

every_public_module = pytest.mark.parametrize("module", PUBLIC_MODULES)


@every_public_module
def test_all_is_a_sorted_tuple_without_repetition(module: str) -> None:
    declared: tuple[str, ...] = load(module).__all__
    assert type(declared) is tuple
    assert list(declared) == sorted(set(declared))


@every_public_module
def test_all_stands_at_the_top(module: str) -> None:
    """Only the docstring and imports stand before it, so that a reader meets the contract before the code."""
    loaded = load(module)
    assert loaded.__doc__
    assert loaded.__file__
    for statement in ast.parse(Path(loaded.__file__).read_text()).body[1:]:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.AnnAssign(target=ast.Name(id="__all__")):
                return
            case ast.Import() | ast.ImportFrom() | ast.If() | ast.Try():
                continue
            case _:
                pytest.fail(f"line {statement.lineno} comes before __all__")
    pytest.fail("no __all__")


@every_public_module
def test_every_export_exists_and_has_a_docstring(module: str) -> None:
    constants = dict(documented_constants(load(module)))
    if module == "asgikit.compat.asgiref.typing":  # other names for the words of this room
        constants |= documented_constants(load("asgikit.spec"))
    for name, exported in exports(module).items():
        if name == "__version__" or f"{module}.{name}" in OF_THE_STANDARD_LIBRARY:
            continue
        if has_home(exported):
            doc = inspect.getdoc(exported) if "__doc__" in vars(exported) or not isinstance(exported, type) else None
        else:
            doc = constants.get(name)
        assert doc, f"{module}.{name} has no docstring"


@every_public_module
def test_every_export_reports_a_public_module_that_has_it(module: str) -> None:
    for name, exported in exports(module).items():
        if has_home(exported) and f"{module}.{name}" not in OF_THE_STANDARD_LIBRARY:
            home = exported.__module__
            assert is_public(home), f"{module}.{name} says it comes from {home}: call _public.publish(__name__)"
            assert home.startswith("asgikit"), f"{module}.{name} is of {home}: asgikit does not export what is others'"
            assert getattr(load(home), exported.__qualname__) is exported


@every_public_module
def test_exported_classes_and_functions_can_be_pickled_by_name(module: str) -> None:
    for exported in filter(has_home, exports(module).values()):
        assert pickle.loads(pickle.dumps(exported)) is exported


@every_public_module
def test_annotations_of_exports_can_be_read(module: str) -> None:
    """Frameworks read them at run time; a class that reports its room must not lose its quoted annotations."""
    for name, exported in exports(module).items():
        if has_home(exported):
            try:
                typing.get_type_hints(exported)
            except NameError as error:
                pytest.fail(f"{module}.{name}: {error}; unquote the annotation")


@every_public_module
def test_nothing_leaks(module: str) -> None:
    """A room's `__init__` shows what `__all__` names and its public submodules; a single file, nothing of asgikit's."""
    loaded = load(module)
    for name, value in vars(loaded).items():
        if name.startswith("_") or name in loaded.__all__ or name == "TYPE_CHECKING":
            continue
        if isinstance(value, ModuleType):
            inside = value.__name__.startswith(f"{module}.") and is_public(value.__name__)
            assert inside or not hasattr(loaded, "__path__"), f"{module} leaks the module {value.__name__}"
        else:
            assert not hasattr(loaded, "__path__"), (
                f"{module} leaks {name}; `publish`? import and call `_public.publish`"
            )
            assert not str(getattr(value, "__module__", "asgikit")).startswith("asgikit"), f"{module} leaks {name}"


@every_public_module
def test_every_exception_that_a_docstring_names_exists(module: str) -> None:
    for where, doc in documented(module):
        for name in raised(doc):
            error = lookup(name, load(module))
            assert isinstance(error, type), f"{where} raises {name}, which is nowhere"
            assert issubclass(error, BaseException), f"{where} raises {name}, which is no exception"


def test_every_error_is_of_the_one_tree_and_a_builtin_too() -> None:
    for error in exports("asgikit.errors").values():
        assert isinstance(error, type)
        assert issubclass(error, asgikit.errors.AsgikitError)
        if error is not asgikit.errors.AsgikitError:
            assert len(error.__bases__) == 2, f"{error.__name__}: which builtin would a caller catch?"
            assert error.__bases__[1].__module__ == "builtins"


def test_rooms_use_each_others_doors() -> None:
    """What a room keeps in private files is its own, but for three exceptions, each with its reason."""
    crossed = {found for module in MODULES for found in private_imports(load(module))}
    assert crossed == {
        # Whether an application is of ASGI 2: of no use to users, and the two who ask are on one floor.
        *(("server", "asgikit.bridge._double"), ("testing", "asgikit.bridge._double")),
        # What pools of threads and keepers of loops have in common, and nobody else.
        ("loop", "asgikit.executor._owner"),
        # The rules of WSGI for headers, environ and response: the drop-in has another exchange, and not other rules.
        *(("compat", f"asgikit.wsgi.{rules}") for rules in ("_environ", "_request_headers", "_response")),
    }


def private_imports(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield room and file for every private file of another room that `module` imports."""
    room = module.__name__.split(".")[1:2]
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                there = name.split(".")
                if there[0] == "asgikit" and len(there) == 3 and there[1:2] != room and there[2].startswith("_"):
                    yield room[0], name


@every_public_module
def test_every_public_module_has_its_place_in_the_reference(module: str) -> None:
    if module.startswith("asgikit.compat.asgiref."):
        return  # these are asgiref's; the page of the drop-in says where they differ
    pages = "\n".join(page.read_text() for page in sorted((ROOT / "docs" / "reference").glob("*.md")))
    assert re.search(rf"^.. automodule:: {re.escape(module)}$", pages, re.MULTILINE), f"docs/reference lacks {module}"


def raised(doc: str) -> Iterator[str]:
    """Yield the exceptions that the section "Raises" of a docstring names."""
    section = re.search(r"^( *)Raises:\n((?:\1 +.*\n?|\n)+)", inspect.cleandoc(doc), re.MULTILINE)
    if section:
        yield from re.findall(r"^    ([\w.]+):", section[2], re.MULTILINE)


def lookup(name: str, module: ModuleType) -> object:
    """Find `name` where a reader of the docstring would look."""
    path, _, last = name.rpartition(".")
    if path:
        return getattr(importlib.import_module(path), last, None)
    for place in (builtins, asgikit.errors, module):
        if hasattr(place, name):
            return getattr(place, name)
    return None


def documented_constants(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield what is assigned in the files of a room, and the docstring below it."""
    files = [module.__file__ or ""]
    if module.__name__ != "asgikit":
        found = pkgutil.iter_modules(getattr(module, "__path__", []), f"{module.__name__}.")
        files += [load(file.name).__file__ or "" for file in found if not file.ispkg and not is_public(file.name)]
    for file in files:
        body = ast.parse(Path(file).read_text()).body
        for statement, after in itertools.pairwise(body):
            match statement, after:
                case (
                    ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(doc))),
                ):
                    yield name, doc
                case _:
                    pass
