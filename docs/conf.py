"""How Sphinx builds this documentation: without a network, warnings as errors (`make docs`)."""

import importlib
import inspect
import itertools
import pkgutil
import re
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.environment import BuildEnvironment
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

import asgikit

project = "asgikit"
author = "the asgikit authors"
copyright = "2026, the asgikit authors"  # noqa: A001 - Sphinx's name
version = release = asgikit.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
exclude_patterns = ["_build", "examples"]
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = f"asgikit {release}"
html_static_path = ["_static"]
html_css_files = ["asgikit.css"]

default_role = "code-or-name"
add_module_names = False
python_use_unqualified_type_names = True
autoclass_content = "both"
# Rooms put shared code into private bases: what a class has from them is shown with it, and nothing of Python's own.
OF_PYTHON = "object, BaseException, dict, tuple, Enum, Generic, Protocol, ABC, Executor"
autodoc_default_options = {"members": True, "inherited-members": OF_PYTHON, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False


def _rooms() -> Iterator[ModuleType]:
    """Yield the public modules that have exports."""
    for found in pkgutil.walk_packages(asgikit.__path__, "asgikit."):
        if "._" not in found.name and (found.ispkg or found.name == "asgikit.errors"):
            yield importlib.import_module(found.name)


def _see_through_rooms() -> None:
    """Let autodoc find what stands in a room's private files: exported objects report the room as their module.

    Members of classes stand in the order of the source, those of the bases first.
    """
    place = itertools.count()
    for module in filter(lambda room: hasattr(room, "__path__"), _rooms()):
        seen = ModuleAnalyzer.for_module(module.__name__)
        seen.analyze()
        for cls in filter(inspect.isclass, vars(module).values()):
            for base in reversed(cls.__mro__):
                seen.tagorder.update({f"{cls.__qualname__}.{name}": next(place) for name in vars(base)})
        for file in pkgutil.iter_modules(module.__path__, f"{module.__name__}."):
            if file.name.rpartition(".")[2].startswith("_"):
                private = ModuleAnalyzer.for_module(file.name)
                private.analyze()
                seen.annotations.update(private.annotations)
                seen.attr_docs.update(private.attr_docs)
                seen.overloads.update(private.overloads)
                seen.finals.extend(private.finals)


_see_through_rooms()

# A colon in the docstring of a constant is a colon; napoleon would take what stands before it for a type.
GoogleDocstring._parse_attribute_docstring = GoogleDocstring._consume_to_end


class CodeOrName(SphinxRole):
    """Show what stands in `single backticks` as code, and link it when it is the name of something."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the nodes."""
        if re.fullmatch(r"[A-Za-z_][\w.]*", self.text):
            return PyXRefRole()("py:obj", self.rawtext, self.text, self.lineno, self.inliner)
        return [nodes.literal(self.rawtext, self.text, classes=["code"])], []


def check_reference(_app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of what a room exports, or a class of it can do, and the reference does not show."""
    shown = env.domains.python_domain.objects
    for module in _rooms():
        for name in getattr(module, "__all__", ()):
            export = getattr(module, name)
            wanted = {f"{module.__name__}.{name}"} if getattr(export, "__module__", "").startswith("asgikit") else set()
            for cls in export.__mro__ if inspect.isclass(export) else ():
                if cls.__module__.startswith("asgikit"):
                    wanted.update(f"{module.__name__}.{name}.{able}" for able in vars(cls) if _is_promised(cls, able))
            for missing in wanted - shown.keys() - _shown_elsewhere(export, shown):
                logging.getLogger(__name__).warning("the reference does not show %s", missing)


def _is_promised(cls: type[object], name: str) -> bool:
    return not name.startswith("_") and (inspect.isroutine(vars(cls)[name]) or isinstance(vars(cls)[name], property))


def _shown_elsewhere(export: object, shown: Mapping[str, object]) -> set[str]:
    """Return the members of a class that are shown with a public base, or with what is made of it (`Bridge`)."""
    if not inspect.isclass(export):
        return set()
    related = [f"{cls.__module__}.{cls.__qualname__}." for cls in (*export.__mro__, *export.__subclasses__())]
    own = f"{export.__module__}.{export.__qualname__}."
    return {own + name.removeprefix(other) for other in related for name in shown if name.startswith(other)}


def let_names_break(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Let long names in the text break after their dots and underscores: else tables are wider than a page."""
    if "body" in context:
        names = re.compile(r'(?<=<span class="pre">)[^<]+')
        context["body"] = names.sub(lambda name: re.sub(r"(?<=[._=])(?=\w)", "<wbr>", name[0]), context["body"])


def setup(app: Sphinx) -> None:
    """Add the role that docstrings use without naming it, a look at what is missing, and places where names break."""
    app.add_role("code-or-name", CodeOrName())
    app.connect("env-check-consistency", check_reference)
    app.connect("html-page-context", let_names_break)
