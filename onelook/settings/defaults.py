"""What a setting is when nothing is said, in the words that the help of a command shows."""

from __future__ import annotations

from pathlib import Path
from types import UnionType
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from onelook.settings.names import variable
from onelook.settings.process import Settings

OWN_WORDS = " Default: "
"""How the description of a setting goes on whose default is None: with what happens then."""


def field_of(name: str) -> FieldInfo:
    """The field of a setting such as `engine` or `run.arm`.

    Raises:
        KeyError: there is no such setting.
    """
    *groups, last = name.split(".")
    model: type[BaseModel] = Settings
    for group in groups:
        model = _model(model.model_fields[group])
    return model.model_fields[last]


def description(name: str) -> str:
    """What the setting is, without what it is by default."""
    return (field_of(name).description or "").partition(OWN_WORDS)[0]


def default_words(name: str) -> str:
    """Where the value comes from when no option gives it, and what it is at last: `ONELOOK_RUN__ARM, or fused`."""
    return f"{variable(name)}, or {_default(field_of(name))}"


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return (field.description or "").partition(OWN_WORDS)[2].removesuffix(".") or "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):
        return f"the bundled {value.name}"
    return str(value)


def _model(field: FieldInfo) -> type[BaseModel]:
    kinds = get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)
    return next(kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel))
