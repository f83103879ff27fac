"""Prompt templates: Jinja files that fail when they are loaded, not when a picture waits."""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import NamedTuple, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape
from jinja2.compiler import CodeGenerator, Frame
from jinja2.exceptions import TemplateSyntaxError
from jinja2.meta import find_referenced_templates

from onelook.errors import PromptError
from onelook.prompts.languages import hint

# The variables without which the question of a template would not say what is asked.
NEEDED: Mapping[str, frozenset[str]] = {
    "system": frozenset({"taxonomy"}),
    "fused_compact": frozenset({"separator"}),
    "details_json": frozenset({"category", "shape"}),
    "details_compact": frozenset({"category", "separator"}),
    "legacy_category": frozenset({"taxonomy"}),
    "legacy_details": frozenset({"category", "shape"}),
    "legacy_retry": frozenset({"parse_error"}),
    "read_category": frozenset({"options"}),
    "read_value": frozenset({"attribute", "options"}),
    "read_option": frozenset({"option", "options"}),
    "zero_shot": frozenset({"category"}),
}


class Loaded(NamedTuple):
    """A template, and every variable that it takes, in any of its branches and in the templates that it includes."""

    template: Template
    variables: frozenset[str]


class Templates:
    """The templates of one folder. `shared` are the variables that every template may use.

    A template is parsed, checked and compiled once, when it is first rendered.
    """

    def __init__(self, folder: Path, root: Path, **shared: object) -> None:
        self.folder = folder
        self._hint = hint(root)
        self._shared = shared
        self._loaded: dict[str, Loaded] = {}
        self._environment = Environment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            autoescape=select_autoescape([]),  # prompts are plain text
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, name: str, **variables: object) -> str:
        """The text of template `name` (without its `.j2`).

        Raises:
            PromptError: no such file, a syntax error, or a variable that is not given, in any branch of the template,
                or one that is needed and not used; the message names file and variable.
        """
        known = self._shared | variables
        loaded = self._loaded.get(name)
        if loaded is None:
            loaded = self._loaded[name] = self._load(f"{name}.j2", known)
            if unused := NEEDED.get(name, frozenset()) - loaded.variables:
                raise self._error(f"{name}.j2", f"does not use the variable {', '.join(sorted(unused))}")
        try:
            return loaded.template.render(known).strip()
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._error(f"{name}.j2", str(error)) from None

    def _load(self, name: str, known: Mapping[str, object]) -> Loaded:
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
        if unknown := code.variables - set(known):
            names = ", ".join(sorted(unknown))
            raise self._error(name, f"unknown variable {names}, expected {', '.join(sorted(known))}")
        compiled = compile(code.source(), str(file), "exec")
        variables = frozenset(code.variables).union(
            *(self._load(included, known).variables for included in find_referenced_templates(tree) if included)
        )
        return Loaded(Template.from_code(self._environment, compiled, self._environment.make_globals(None)), variables)

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
