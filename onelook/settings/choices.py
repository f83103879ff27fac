"""The choices of a run in this process: `Context`, with the settings' defaults and the taxonomy's languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError, create_model

from onelook.errors import SettingsError
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
            raise SettingsError(
                f"run.language is {run.language}, but the taxonomy has labels in {', '.join(languages)} only",
                hint=f"ONELOOK_RUN__LANGUAGE={languages[0]}",
            )
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
    try:
        return type(defaults).model_validate(context.model_dump(exclude_unset=True))
    except ValidationError as error:
        raise SettingsError(
            "; ".join(describe_errors(error)), hint="`onelook config` shows the choices as run.…"
        ) from None
