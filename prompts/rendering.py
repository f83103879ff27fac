"""Prompt templates: Jinja files that fail when they are loaded, not when a picture waits."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.exceptions import TemplateSyntaxError, UndefinedError
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from onelook.errors import PromptError

TEMPLATES = Path(__file__).parent / "templates"
HINT = "prompts/templates holds a working set, one folder a language"


class Templates:
    """The templates of one folder. `shared` are the variables that every template may use."""

    def __init__(self, folder: Path, **shared: object) -> None:
        self.folder = folder
        self._shared = shared
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
            PromptError: no such file, a syntax error, or a variable that is not given, in any branch of the template;
                the message names file and variable.
        """
        file = f"{name}.j2"
        known = self._shared | variables
        self._check(file, set(known))
        try:
            return self._environment.get_template(file).render(known).strip()
        except UndefinedError as error:
            raise PromptError(f"{self.folder / file}: {error.message}", hint=HINT) from None

    def _check(self, name: str, known: set[str]) -> None:
        """What rendering would only find out in the branch that it takes, here and in the templates included."""
        file = self.folder / name
        try:
            tree = self._environment.parse(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PromptError(f"{file}: no such template", hint=HINT) from None
        except TemplateSyntaxError as error:
            raise PromptError(f"{file}:{error.lineno}: {error.message}", hint=HINT) from None
        if unknown := find_undeclared_variables(tree) - known:
            names = ", ".join(sorted(unknown))
            raise PromptError(f"{file}: unknown variable {names}, expected {', '.join(sorted(known))}", hint=HINT)
        for included in find_referenced_templates(tree):
            if included is not None:
                self._check(included, known)
