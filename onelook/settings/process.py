"""The settings of the process, read once. Arguments override the environment, which overrides the defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from onelook.errors import SettingsError
from onelook.settings.engine import EngineSettings, Positive
from onelook.settings.http import HttpSettings
from onelook.settings.resolution import ResolutionPolicy
from onelook.settings.router import RouterSettings
from onelook.types import Context

PHOTOS = Path(__file__).parent.parent / "prompts" / "taxonomy" / "photos.yaml"


class Settings(BaseSettings, EngineSettings):
    """Environment names are `ONELOOK_` + field, upper case; a run's defaults are `ONELOOK_RUN__ARM` and so on."""

    model_config = SettingsConfigDict(
        env_prefix="ONELOOK_", env_nested_delimiter="__", frozen=True, extra="forbid", env_ignore_empty=True
    )
    variables: ClassVar[str] = "ONELOOK_"

    taxonomy: Path = Field(PHOTOS, description="The taxonomy document (YAML).")
    templates: Path | None = Field(
        None,
        description="A folder with your own prompt templates: a folder with a complete set for each language (en/,"
        " pt-BR/), or one set, which then asks in every language. Default: those that come with onelook.",
    )
    calibration: Path | None = Field(
        None, description="File written by `onelook calibrate`. Default: none, confidences are the model's own."
    )
    run: Context = Field(Context(), description="Default choices of a run.")

    temperature: Annotated[float, Field(ge=0, le=2)] = Field(0.0, description="Sampling temperature; 0 is greedy.")
    max_attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        3, description="Attempts for an engine call or a download that fails with a retryable error."
    )
    retry_interval_s: Positive = Field(
        0.5, description="Wait before the second attempt, in seconds; doubled before each further attempt, with jitter."
    )
    cache: Literal["off", "memory"] = Field(
        "off", description="Whether the same picture with the same choices is answered from memory (kept for an hour)."
    )
    concurrency: Annotated[int, Field(ge=1, le=1024)] = Field(8, description="Pictures in flight at once.")

    specialist: EngineSettings | None = Field(
        None, description="A second engine that answers hard pictures again; its settings are ONELOOK_SPECIALIST__…"
    )

    router: RouterSettings = Field(
        RouterSettings(), description="The classifier that decides the category in the arm hybrid."
    )

    resolution: ResolutionPolicy = Field(
        ResolutionPolicy(), description="Picture sizes of resolution=auto and adaptive, in pixels."
    )

    http: HttpSettings = Field(HttpSettings(), description="The HTTP server.")

    residency: Literal["both", "swap", "defer"] = Field(
        "both",
        description="Models in memory. both: the first engine and the specialist; swap: one at a time; defer: one at a"
        " time, and in a batch the specialist's pictures wait until all others are done.",
    )

    max_image_mb: Positive = Field(50.0, description="Largest file or download, in 10^6 bytes.")
    max_image_megapixels: Positive = Field(
        100.0, description="Most pixels, in 10^6; larger pictures are refused before decoding."
    )
    max_decode_mb: Positive = Field(
        600.0,
        description="Most memory that decoding one picture may take, in 10^6 bytes; more is refused. WebP takes 16"
        " bytes a pixel, AVIF and HEIC 8 to 12, a JPEG what its reduced size needs, others up to 4.",
    )
    decode_budget_mb: Positive = Field(
        1200.0,
        description="Memory for all pictures that are decoded at the same time, in 10^6 bytes; others wait for it.",
    )
    allow_urls: bool = Field(True, description="Whether a picture can be named by an http(s) URL.")
    allow_private_urls: bool = Field(False, description="Whether such a URL can lead to a private or local address.")
    download_timeout_s: Positive = Field(20.0, description="Longest time for one download, in seconds.")

    @cached_property
    def max_image_bytes(self) -> int:
        return int(self.max_image_mb * 1e6)

    @cached_property
    def max_image_pixels(self) -> int:
        return int(self.max_image_megapixels * 1e6)


PASSWORD = re.compile(r"//[^/@]*@")

Source = Literal["argument", "environment", "default"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `onelook config`."""

    name: str
    value: str | int | float | bool | None
    source: Source
    description: str


def sources(settings: Settings, arguments: Mapping[str, object]) -> list[Row]:
    """Every setting with its value and its source. Keys stay hidden. The default choices of a run are `run.NAME`."""
    environment = {name.upper() for name, value in os.environ.items() if value}
    rows = []

    def add(name: str, value: object, description: str | None) -> None:
        variable = "ONELOOK_" + name.upper().replace(".", "__")
        source: Source = "default"
        if arguments.get(name) is not None:
            source = "argument"
        elif variable in environment:
            source = "environment"
        shown = value if isinstance(value, int | float | None) else PASSWORD.sub("//***@", str(value))
        rows.append(Row(name, shown, source, description or ""))

    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            for inner, choice in type(value).model_fields.items():
                add(f"{name}.{inner}", getattr(value, inner), choice.description)
        else:
            add(name, value, field.description)
    return rows


def describe_errors(error: ValidationError) -> list[str]:
    """Each wrong value of a model: the field, what was expected, and the value."""
    return [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']} (got {problem['input']!r})"
        for problem in error.errors(include_url=False)
    ]


def load_settings(**arguments: Any) -> Settings:
    """Settings from `arguments` (None means "not given"), then the environment, then the defaults.

    Raises:
        SettingsError: a value is wrong; the message names each field, the value and what was expected.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    try:
        return Settings(**given)
    except UnreadableSetting as error:
        raise SettingsError(f"bad settings: {error}", hint="write a list or an object as JSON") from None
    except ValidationError as error:
        raise SettingsError(
            "bad settings:\n  " + "\n  ".join(describe_errors(error)),
            hint="`onelook config` prints every setting, its value and its source",
        ) from None
