"""What a run may choose in this process: `Context`, with the settings' defaults and the taxonomy's languages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError, create_model

from onelook.errors import SettingsError
from onelook.settings.process import problems
from onelook.types import Context, Language


def default_choices(run: Context, languages: Sequence[Language]) -> Context:
    """The choices of a run that chooses nothing: those of the settings, in a language that the taxonomy has.

    Its type is the schema that Studio shows and a partly filled context is completed by, so all doors agree.

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
    """What `context` sets, over `defaults`.

    Raises:
        SettingsError: a choice that this process does not have, such as a language that the taxonomy lacks.
    """
    if context is None:
        return defaults
    try:
        return type(defaults).model_validate(context.model_dump(exclude_unset=True))
    except ValidationError as error:
        raise SettingsError("; ".join(problems(error)), hint="`onelook config` shows the choices as run.…") from None
