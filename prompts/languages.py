"""A language is a folder: the templates of its prompts, and `language.yaml` with the separators of compact replies.

A language without a folder is asked with the templates of a wider one (`pt-BR` with `pt`), else in English, always with
the taxonomy's labels in the language itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, Field, ValidationError

from onelook.errors import PromptError
from onelook.settings.hints import set_to
from onelook.types import Frozen, Language

TEMPLATES = Path(__file__).parent / "templates"
ENGLISH = "en"
FILE = "language.yaml"


def hint(root: Path) -> str:
    """What to do about a mistake in the templates under `root`."""
    if root == TEMPLATES:
        own = set_to(ONELOOK_TEMPLATES="FOLDER")
        return f"these templates come with onelook: install it again, or name your own: {own}"
    return f"correct it, or leave out --templates (ONELOOK_TEMPLATES); {TEMPLATES} holds a working set of each language"


def folder_of(language: Language, root: Path) -> Path:
    """The folder whose templates ask in `language`: one under `root`, else one that comes with onelook.

    `root` holds a folder for each of its languages, or the templates themselves, which then ask in every language.

    Raises:
        PromptError: there is no such folder, or it holds neither.
    """
    if not root.is_dir():
        raise PromptError(f"{root}: no such folder of templates", hint=hint(root))
    if any(root.glob("*.j2")):
        return root
    if not any(root.glob("*/*.j2")):
        raise PromptError(
            f"{root}: holds no templates, neither *.j2 nor a folder of them for each language, such as en or pt-BR",
            hint=hint(root),
        )
    tags = list(wider(language))
    folders = [*(root / each for each in tags), *(TEMPLATES / each for each in tags), root / ENGLISH]
    return next((folder for folder in folders if folder.is_dir()), TEMPLATES / ENGLISH)


def separators(language: Language, root: Path) -> tuple[str, ...]:
    """What may separate two values of a compact reply, the shortest first.

    Raises:
        PromptError: the folder's `language.yaml` is missing or wrong.
    """
    return _read(folder_of(language, root), root).separators


def wider(language: Language) -> Iterator[Language]:
    """The language and those that hold it: zh-Hant-TW, zh-Hant, zh."""
    while language:
        yield language
        language = language.rpartition("-")[0]


def _separator(text: str) -> str:
    if not text.isprintable() or "," in text:
        raise ValueError("a separator is printable and holds no comma, which joins the options of one value")
    return text


class LanguageFile(Frozen):
    """A `language.yaml`. The first separator that leaves a taxonomy's compact replies one reading is taken."""

    separators: Annotated[tuple[Annotated[str, AfterValidator(_separator)], ...], Field(min_length=1)]


def _read(folder: Path, root: Path) -> LanguageFile:
    file = folder / FILE
    try:
        return LanguageFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise PromptError(f"{file}: no such file", hint=hint(root)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PromptError(f"{file}: cannot be read: {error}", hint=hint(root)) from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, detail['loc'])) or 'document'}: {detail['msg']} (got {detail['input']!r})"
            for detail in error.errors(include_url=False)
        )
        raise PromptError(f'{file}: {wrong}; expected `separators: ["", "|"]`', hint=hint(root)) from None
