"""How a message names a setting: by the option of a command and by the variable, with the value to give it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onelook.settings.names import variable

OPTIONS: Final[Mapping[str, str]] = {
    "engine": "--engine",
    "model": "--model",
    "base_url": "--base-url",
    "taxonomy": "--taxonomy",
    "templates": "--templates",
    "concurrency": "--concurrency",
    "residency": "--residency",
    "run.arm": "--arm",
    "run.reply_format": "--reply-format",
    "run.language": "--language",
    "run.resolution": "--resolution",
    "run.long_edge": "--long-edge",
    "run.trim": "--trim",
    "run.adaptive": "--adaptive",
    "run.debias": "--debias",
    "run.confidence_threshold": "--confidence-threshold",
    "run.escalate": "--escalate",
    "http.host": "--host",
    "http.port": "--port",
    "http.workers": "--workers",
    "http.log_format": "--log-format",
}
"""The settings that have an option; a switch (`--debias`) has a second one that turns it off (`--no-debias`)."""

_BY_VARIABLE = {variable(name): option for name, option in OPTIONS.items()}


def set_to(**variables: object) -> str:
    """How to give settings these values: `set_to(ONELOOK_RUN__LONG_EDGE=512)` is `--long-edge 512 or
    ONELOOK_RUN__LONG_EDGE=512`. Where one of them has no option, the variables alone."""
    assigned = " ".join(f"{name}={_word(value)}" for name, value in variables.items())
    if not _BY_VARIABLE.keys() >= variables.keys():
        return assigned
    return f"{' '.join(_option(_BY_VARIABLE[name], value) for name, value in variables.items())} or {assigned}"


def named(name: str) -> str:
    """What sets `name`: `--arm or ONELOOK_RUN__ARM`."""
    option = OPTIONS.get(name)
    return variable(name) if option is None else f"{option} or {variable(name)}"


def set_off(switch: str) -> str:
    """The option that turns a switch off: `--no-debias`."""
    return switch.replace("--", "--no-", 1)


def _option(option: str, value: object) -> str:
    if isinstance(value, bool):
        return option if value else set_off(option)
    return f"{option} {value}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
