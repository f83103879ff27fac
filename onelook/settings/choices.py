"""The choices of a run in this process: `Context`, with the settings' defaults and the taxonomy's languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

from pydantic import Field, ValidationError, create_model

from onelook.errors import SettingsError
from onelook.settings.hints import set_to
from onelook.settings.process import describe_errors
from onelook.types import Context, Language


def default_choices(run: Context, languages: Sequence[Language]) -> Context:
    """The default choices of a run: those of the settings, in a language that the taxonomy has.

    Its type is the schema that Studio shows and that completes a partial context, so all interfaces agree.

    Raises:
        SettingsError: the settings name a language that the taxonomy lacks.
    """
    if run.language not in languages:
        if "language" in run.model_fields_set:
            raise _no_labels(run.language, languages)
        run = run.model_copy(update={"language": languages[0]})
    fields: dict[str, Any] = {
        name: (field.rebuild_annotation(), Field(getattr(run, name), description=field.description))
        for name, field in Context.model_fields.items()
    }
    fields["language"] = (Literal[tuple(languages)], fields["language"][1])
    return create_model("Context", __base__=Context, **fields)()


def complete(context: Context | None, defaults: Context) -> Context:
    """`context`, completed by `defaults`.

    Raises:
        SettingsError: a choice is not available in this process, such as a language that the taxonomy lacks.
    """
    if context is None:
        return defaults
    languages = get_args(type(defaults).model_fields["language"].annotation)
    if languages and "language" in context.model_fields_set and context.language not in languages:
        raise _no_labels(context.language, languages)
    try:
        return type(defaults).model_validate(context.model_dump(exclude_unset=True))
    except ValidationError as error:
        raise SettingsError(
            "; ".join(describe_errors(error)),
            hint="`onelook tag --help` shows the choices as options, `onelook config` as ONELOOK_RUN__…",
        ) from None


def _no_labels(language: Language, languages: Sequence[Language]) -> SettingsError:
    return SettingsError(
        f"language: the taxonomy has labels in {', '.join(languages)}, not in {language}",
        hint=f"{set_to(ONELOOK_RUN__LANGUAGE=languages[0])}; or add labels to the taxonomy",
    )
