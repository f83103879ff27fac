"""Prompt templates: Jinja files that fail when they are loaded, not when a picture waits."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.exceptions import TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.meta import find_undeclared_variables

from graph.errors import PromptError

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
        file = self.folder / f"{name}.j2"
        known = self._shared | variables
        try:
            source = file.read_text(encoding="utf-8")
            unknown = find_undeclared_variables(self._environment.parse(source)) - set(known)
            if unknown:
                names = ", ".join(sorted(unknown))
                raise PromptError(f"{file}: unknown variable {names}, expected {', '.join(sorted(known))}", hint=HINT)
            return self._environment.get_template(file.name).render(known).strip()
        except (FileNotFoundError, TemplateNotFound) as error:
            raise PromptError(f"{file}: no such template ({error})", hint=HINT) from None
        except TemplateSyntaxError as error:
            raise PromptError(f"{file}:{error.lineno}: {error.message}", hint=HINT) from None
        except UndefinedError as error:
            raise PromptError(f"{file}: {error.message}", hint=HINT) from None
