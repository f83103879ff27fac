"""The settings of the process, read once. Arguments override the environment, which overrides the settings file, which
overrides the defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, InitSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from onelook.errors import SettingsError
from onelook.settings.engine import EngineSettings, Positive
from onelook.settings.file import SettingsFile, settings_file
from onelook.settings.hints import named
from onelook.settings.http import HttpSettings
from onelook.settings.names import FILE_VARIABLE, setting_names, unknown_variables
from onelook.settings.resolution import ResolutionPolicy
from onelook.settings.router import RouterSettings
from onelook.types import Context, Language

Residency = Literal["both", "swap", "defer"]

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

    residency: Residency = Field(
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
    prepare_timeout_s: Positive = Field(
        20.0,
        description="Longest time to decode and size one picture, in seconds, without waiting for its turn; checked"
        " between the scans of a JPEG, the blocks of a file and the steps of the work.",
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

Source = Literal["option", "environment", "file", "locale", "default"]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `onelook config`."""

    name: str
    value: str | int | float | bool | None
    source: Source
    description: str


def sources(settings: Settings, arguments: Mapping[str, object], locale: Language | None = None) -> list[Row]:
    """Every setting with its value and its source. Keys stay hidden. The default choices of a run are `run.NAME`.

    The first row is the settings file. `arguments` are those that `load_settings` got, `locale` is the language that
    the terminal took from the user's locale.
    """
    config = arguments.get("config")
    path = settings_file(None if config is None else Path(str(config)))
    origins: list[tuple[Source, Mapping[str, Any]]] = [
        ("option", {name: value for name, value in arguments.items() if value is not None}),
        ("environment", EnvSettingsSource(Settings)()),
        ("file", SettingsFile(Settings, path)()),
        ("locale", {} if locale is None else {"run": {"language": locale}}),
    ]
    named: Source = "option" if config else "environment" if os.environ.get(FILE_VARIABLE) else "default"
    rows = [
        Row(
            "config",
            None if path is None else str(path),
            named,
            "The settings file (TOML): --config FILE, ONELOOK_CONFIG=FILE, or onelook.toml in the current folder.",
        )
    ]

    def add(name: str, value: object, description: str | None) -> None:
        source: Source = next((origin for origin, given in origins if _has(given, name)), "default")
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


def _has(given: Mapping[str, Any], name: str) -> bool:
    """Whether `name`, such as `run.arm`, is among what a source gives: a value, an object or a model."""
    head, _, rest = name.partition(".")
    inner = given.get(head)
    if not rest:
        return head in given
    if isinstance(inner, BaseModel):
        return rest in inner.model_fields_set
    return isinstance(inner, Mapping) and _has(inner, rest)


def describe_errors(error: ValidationError) -> list[str]:
    """Each wrong value of a model: the field, what was expected, and the value."""
    return [
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']} (got {problem['input']!r})"
        for problem in error.errors(include_url=False)
    ]


def load_settings(**arguments: Any) -> Settings:
    """Settings from `arguments` (None means "not given"), then the environment, the settings file, and the defaults.

    The file is the argument `config`, which is no setting, else the one that `ONELOOK_CONFIG` names, else
    `onelook.toml` in the current folder.

    Raises:
        SettingsError: a value is wrong, or a name in the environment or in the file is mistyped; the message has each
            name, the value and what was expected.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    check_variables()
    config = given.pop("config", None)
    path = settings_file(None if config is None else Path(config))
    try:
        sources = (InitSettingsSource(Settings, given), EnvSettingsSource(Settings), SettingsFile(Settings, path))
        return Settings(_build_sources=(sources, given))
    except UnreadableSetting as error:
        raise SettingsError(
            f"bad settings: {error}", hint="""write a list or a group as JSON: ONELOOK_HTTP__CORS_ORIGINS='["…"]'"""
        ) from None
    except ValidationError as error:
        raise SettingsError(
            "bad settings:\n  " + "\n  ".join(describe_errors(error)), hint=_where_to_set(error, path)
        ) from None


def _where_to_set(error: ValidationError, path: Path | None) -> str:
    wrong = {".".join(map(str, problem["loc"])) for problem in error.errors(include_url=False)}
    ways = [named(name) for name in setting_names(Settings) if name in wrong]
    file = "" if path is None else f"; the settings file is {path}"
    return f"set by {', '.join(ways)}{file}" if ways else "`onelook config` prints every setting"


def check_variables() -> None:
    """Raises `SettingsError` for a variable of the environment that is nearly the name of a setting."""
    found = unknown_variables(os.environ, setting_names(Settings))
    wrong = [f"{given} is no setting; did you mean {meant}?" for given, meant in found.items() if meant]
    if wrong:
        raise SettingsError("\n".join(wrong), hint="correct the name, or unset the variable")


def other_variables() -> list[str]:
    """The variables that begin with ONELOOK_ and set nothing."""
    return [given for given, meant in unknown_variables(os.environ, setting_names(Settings)).items() if not meant]
