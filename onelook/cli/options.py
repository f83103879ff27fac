"""Options that several commands share, and those whose default is a setting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from annotated_types import Ge, Le

from onelook.cli.option_groups import OptionGroup
from onelook.settings.defaults import default_words, description, field_of
from onelook.settings.engine import EngineKind
from onelook.settings.file import FILE
from onelook.settings.hints import OPTIONS, set_off
from onelook.settings.names import FILE_VARIABLE
from onelook.settings.process import Settings, load_settings


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


ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file (TOML).", show_default=f"{FILE_VARIABLE}, or {FILE} if it is here"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="As one JSON object.")]


class SettingsOptions(OptionGroup):
    """Which model answers, by which taxonomy, and where all other settings are."""

    engine: Annotated[EngineKind | None, setting("engine")] = None
    model: Annotated[str | None, setting("model")] = None
    base_url: Annotated[str | None, setting("base_url")] = None
    taxonomy: Annotated[Path | None, setting("taxonomy")] = None
    templates: Annotated[Path | None, setting("templates")] = None
    config: ConfigOption = None

    def load(self, **others: Any) -> Settings:
        """The settings by these options and `others`, of which None means "not given".

        Raises:
            SettingsError: see `load_settings`.
        """
        return load_settings(**self.given, **others)
