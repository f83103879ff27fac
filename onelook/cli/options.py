"""Options that several commands share, and those whose default is a setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from annotated_types import Ge, Le

from onelook.settings.defaults import default_words, description, field_of
from onelook.settings.file import FILE
from onelook.settings.hints import OPTIONS, set_off
from onelook.settings.names import FILE_VARIABLE


def setting(name: str, *aliases: str, words: str | None = None, default: str | None = None) -> Any:
    """The option that sets the setting `name` for one run, with other names for it; not given, the setting holds.

    The help shows `words`, else the setting's description, and its variable, its default and its range as the settings
    have them. `default` replaces those words where more than the setting decides.
    """
    field = field_of(name)
    least = _number(each.ge for each in field.metadata if isinstance(each, Ge))
    most = _number(each.le for each in field.metadata if isinstance(each, Le))
    flag = OPTIONS[name]
    return typer.Option(
        f"{flag}/{set_off(flag)}" if field.annotation is bool else flag,
        *aliases,
        help=words or description(name),
        show_default=default or default_words(name),
        min=least,
        max=most,
        metavar=None if least is None and most is None else f"<{getattr(field.annotation, '__name__', name)}>",
    )


def _number(bounds: Iterator[object]) -> int | float | None:
    return next((bound for bound in bounds if isinstance(bound, int | float)), None)


EngineOption = Annotated[str | None, setting("engine")]
ModelOption = Annotated[str | None, setting("model")]
BaseUrlOption = Annotated[str | None, setting("base_url")]
TaxonomyOption = Annotated[Path | None, setting("taxonomy")]
TemplatesOption = Annotated[Path | None, setting("templates")]
LANGUAGE = "The language in which the model reads and writes: en, zh, de …"
LanguageOption = Annotated[str | None, setting("run.language", words=LANGUAGE)]
UserLanguageOption = Annotated[
    str | None,
    setting(
        "run.language",
        words=LANGUAGE,
        default=default_words("run.language").replace(", or", ", your locale's if the taxonomy has it, or"),
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file (TOML).", show_default=f"{FILE_VARIABLE}, or {FILE} if it is here"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="As one JSON object.")]
