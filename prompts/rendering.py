"""Prompt templates: Jinja files that fail when they are loaded, not when a picture waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from io import StringIO
from pathlib import Path
from typing import NamedTuple, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_referenced_templates

from onelook.errors import PromptError
from onelook.prompts.languages import hint


class Variables(NamedTuple):
    """What a template is given beside the variables that all share, and which it must use to ask its question."""

    given: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


SHARED = ("taxonomy", "language", "separator")
VARIABLES: Mapping[str, Variables] = {
    "system": Variables(("shared",), needed=("taxonomy",)),
    "fused_json": Variables(),
    "fused_compact": Variables(needed=("separator",)),
    "category_json": Variables(),
    "category_compact": Variables(),
    "details_json": Variables(("category", "shape"), needed=("category", "shape")),
    "details_compact": Variables(("category", "shape"), needed=("category", "separator")),
    "legacy_category": Variables(needed=("taxonomy",)),
    "legacy_details": Variables(("category", "shape"), needed=("category", "shape")),
    "legacy_retry": Variables(("parse_error",), needed=("parse_error",)),
    "read_category": Variables(("options",), needed=("options",)),
    "read_value": Variables(("category", "attribute", "options"), needed=("attribute", "options")),
    "read_option": Variables(("category", "attribute", "option", "options"), needed=("option", "options")),
    "zero_shot": Variables(("category",), needed=("category",)),
}
"""Every template of a language."""


class Templates:
    """The templates of one folder, each parsed, checked and compiled once.

    `root` is the folder that the setting names, `shared` the values of the variables that every template may use.
    """

    def __init__(self, folder: Path, root: Path, **shared: object) -> None:
        """
        Raises:
            PromptError: a template is missing, has a syntax error, uses a variable that is not given, in any of its
                branches, or does not use one that it needs; the message names file and variable.
        """
        self.folder = folder
        self._hint = hint(root)
        self._shared = shared
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=select_autoescape([]),  # prompts are plain text
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates = {name: self._checked(name, *variables) for name, variables in VARIABLES.items()}

    def render(self, name: str, **variables: object) -> str:
        """The text of template `name` (without its `.j2`).

        Raises:
            PromptError: the template uses what a variable does not have.
        """
        try:
            return self._templates[name].render(self._shared | variables).strip()
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._error(f"{name}.j2", str(error)) from None

    def _checked(self, name: str, given: Sequence[str], needed: Sequence[str]) -> Template:
        file = f"{name}.j2"
        template, used = self._load(file, frozenset({*SHARED, *given}))
        if unused := set(needed) - used:
            raise self._error(file, f"does not use the variable {', '.join(sorted(unused))}, which its question needs")
        return template

    def _load(self, name: str, known: Set[str]) -> tuple[Template, Set[str]]:
        """A template, and the variables that it uses, in any of its branches and in the templates that it includes."""
        file = self.folder / name
        try:
            tree = self._environment.parse(file.read_text(encoding="utf-8"), name, str(file))
            code = _Code(self._environment, name, str(file))
            code.visit(tree)
        except FileNotFoundError:
            raise self._error(name, "no such template") from None
        except (OSError, UnicodeDecodeError) as error:
            raise self._error(name, f"cannot be read: {error}") from None
        except TemplateSyntaxError as error:
            raise self._error(f"{name}:{error.lineno}", f"{error.message}") from None
        if unknown := code.variables - known:
            names = ", ".join(sorted(unknown))
            raise self._error(name, f"unknown variable {names}, expected {', '.join(sorted(known))}")
        compiled = compile(code.source(), str(file), "exec")
        template = Template.from_code(self._environment, compiled, self._environment.make_globals(None))
        included = [self._load(other, known)[1] for other in find_referenced_templates(tree) if other]
        return template, code.variables.union(*included)

    def _error(self, place: str, message: str) -> PromptError:
        return PromptError(f"{self.folder / place}: {message}", hint=self._hint)


class _Code(CodeGenerator):
    """A template as Python code, and the variables that this code takes from outside.

    `jinja2.meta.find_undeclared_variables` finds the same ones the same way, and generates the code a second time.
    """

    def __init__(self, environment: Environment, name: str, filename: str) -> None:
        super().__init__(environment, name, filename)
        self.variables: set[str] = set()

    def enter_frame(self, frame: Frame) -> None:
        super().enter_frame(frame)
        for action, variable in frame.symbols.loads.values():
            if action == "resolve" and variable is not None and variable not in self.environment.globals:
                self.variables.add(variable)

    def source(self) -> str:
        return cast("StringIO", self.stream).getvalue()
