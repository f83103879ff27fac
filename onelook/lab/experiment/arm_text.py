"""Arms as they are written on a command line: `fused`, or `small:long_edge=448,reply_format=compact`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, Final

from pydantic import ValidationError

from onelook.errors import SettingsError
from onelook.graph.arms import ARMS
from onelook.lab.experiment.arms import ExperimentArm
from onelook.settings.names import nearest, setting_names
from onelook.settings.process import Settings, describe_errors
from onelook.types import Context

NAME: Final = re.compile(r"[^\W_][\w.+-]*")
HINT: Final = (
    "write --arm fused, or --arm NAME:key=value,key=value, for example --arm small:arm=fused,long_edge=448; the keys"
    " are a run's choices (arm, reply_format, language, resolution, long_edge …) and every setting that"
    " `onelook config` prints"
)
ALIASES: Final = {"format": "reply_format", "threshold": "confidence_threshold"}


def read_arms(texts: Iterable[str]) -> dict[str, ExperimentArm]:
    """The arms by name, in order.

    Raises:
        SettingsError: a name, a key or a value is wrong, or a name is given twice.
    """
    arms: dict[str, ExperimentArm] = {}
    for text in texts:
        name, arm = read_arm(text)
        if name in arms:
            raise SettingsError(
                f"--arm {text}: there is an arm {name} already", hint="give each arm a name: --arm NAME:key=value"
            )
        arms[name] = arm
    return arms


def read_arm(text: str) -> tuple[str, ExperimentArm]:
    """One arm. A name that is an arm of the graph is that arm, unless the key `arm` names another one.

    Raises:
        SettingsError: a name, a key or a value is wrong.
    """
    name, colon, rest = text.partition(":")
    if not NAME.fullmatch(name):
        raise SettingsError(f"--arm {text}: {name!r} is no name of an arm", hint=HINT)
    choices: dict[str, Any] = {"arm": name} if name in ARMS else {}
    settings: dict[str, Any] = {}
    for pair in filter(None, (each.strip() for each in rest.split(","))):
        key, equals, value = pair.partition("=")
        key = key.strip().replace("-", "_")
        key = ALIASES.get(key, key)
        if not equals or not value.strip():
            raise SettingsError(f"--arm {text}: {pair!r} is no key=value", hint=HINT)
        _put(choices if key in Context.model_fields else settings, key, value.strip(), text)
    if not choices and not settings:
        close = get_close_matches(name, ARMS, n=1)
        meant = f"; did you mean {close[0]}?" if close and not colon else ""
        raise SettingsError(f"--arm {text}: {name} is none of the arms {', '.join(ARMS)}{meant}", hint=HINT)
    try:
        context = Context.model_validate(choices)
    except ValidationError as error:
        raise SettingsError(f"--arm {text}: {'; '.join(describe_errors(error))}", hint=HINT) from None
    return name, ExperimentArm(context, settings)


def _put(into: dict[str, Any], key: str, value: str, text: str) -> None:
    known = [*Context.model_fields, *setting_names(Settings)]
    if key not in known:
        meant = nearest(key, known)
        raise SettingsError(f"--arm {text}: {key} is no key" + (f"; did you mean {meant}?" if meant else ""), hint=HINT)
    if key in into and key != "arm":
        raise SettingsError(f"--arm {text}: {key} is given twice", hint="remove one of the two")
    into[key] = value
