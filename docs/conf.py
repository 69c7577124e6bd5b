"""How Sphinx builds this documentation: without a network, warnings as errors (`make docs`)."""

import importlib
import pkgutil
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyXRefRole
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer
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
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False


def _see_through_rooms() -> None:
    """Let autodoc find what stands in a room's private files: exported objects report the room as their module."""
    for room in pkgutil.walk_packages(asgikit.__path__, "asgikit."):
        if not room.ispkg or "._" in room.name:
            continue
        seen = ModuleAnalyzer.for_module(room.name)
        seen.analyze()
        for file in pkgutil.iter_modules(importlib.import_module(room.name).__path__, f"{room.name}."):
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


def let_names_break(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Let long names in the text break after their dots and underscores: else tables are wider than a page."""
    if "body" in context:
        names = re.compile(r'(?<=<span class="pre">)[^<]+')
        context["body"] = names.sub(lambda name: re.sub(r"(?<=[._=])(?=\w)", "<wbr>", name[0]), context["body"])


def setup(app: Sphinx) -> None:
    """Add the role that docstrings use without naming it, and places where names may break."""
    app.add_role("code-or-name", CodeOrName())
    app.connect("html-page-context", let_names_break)
