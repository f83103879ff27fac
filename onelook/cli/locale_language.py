"""The language of the user's locale: that of the terminal's runs where no option and no setting names one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from onelook.prompts.languages import TEMPLATES, wider
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import Settings
from onelook.types import Language

LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
LIST = "LANGUAGE"
NO_LANGUAGE = ("C", "POSIX")


def in_the_users_language(settings: Settings) -> Settings:
    """`settings`, whose runs are in the language of the locale, where `locale_language` finds one.

    Raises:
        UserError: the taxonomy or a template is wrong.
    """
    return in_language(settings, locale_language(settings))


def in_language(settings: Settings, language: Language | None) -> Settings:
    """`settings`, whose runs are in `language` if that is not None."""
    if language is None:
        return settings
    return settings.model_copy(update={"run": settings.run.model_copy(update={"language": language})})


def locale_language(settings: Settings) -> Language | None:
    """The language of the taxonomy that the locale wants; None if there is none, or a setting names the language.

    Raises:
        UserError: the taxonomy or a template is wrong.
    """
    wanted = [] if "language" in settings.run.model_fields_set else list(wanted_languages(os.environ))
    if not wanted:
        return None
    languages = load_taxonomy(settings.taxonomy, settings.templates or TEMPLATES).languages
    known = {language.lower(): language for language in languages}
    return next((known[tag.lower()] for each in wanted for tag in wider(each) if tag.lower() in known), None)


def wanted_languages(environment: Mapping[str, str]) -> Iterator[Language]:
    """Language tags, the most wanted first, from the variables that gettext reads, in its order.

    The first of LC_ALL, LC_MESSAGES and LANG that is set is the locale. LANGUAGE, a list, is read before it, except in
    the locale C, which has no language.
    """
    locale = next((environment[name] for name in LOCALE if environment.get(name)), "C")
    if _name(locale) in NO_LANGUAGE:
        return
    for each in (*environment.get(LIST, "").split(":"), locale):
        if (name := _name(each)) and name not in NO_LANGUAGE:
            yield name.replace("_", "-")


def _name(locale: str) -> str:
    """`zh_CN.UTF-8@pinyin` without its encoding and modifier."""
    return locale.partition(".")[0].partition("@")[0]
