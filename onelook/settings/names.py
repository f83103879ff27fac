"""The names of all settings, and the nearest one to a name that is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel

PREFIX = "ONELOOK_"
FILE_VARIABLE = "ONELOOK_CONFIG"
"""The variable that names the settings file; it is not in the file, so it is no setting."""

ALIKE = 0.75  # of 1: `TAXONMY` and `TAXONOMY` have 0.93
# Kubernetes sets these in every container beside a service called onelook.
KUBERNETES = re.compile(r"(.*_)?SERVICE_(HOST|PORT(_.*)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?")


def setting_names(model: type[BaseModel]) -> list[str]:
    """Every setting as in a settings file: `engine`, `run.arm`; a group of settings (`run`) is one as well."""
    names = []
    for name, field in model.model_fields.items():
        names.append(name)
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                names += [f"{name}.{inner}" for inner in setting_names(kind)]
    return names


def variable(name: str) -> str:
    """`run.arm` as an environment variable: `ONELOOK_RUN__ARM`."""
    return PREFIX + name.upper().replace(".", "__")


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The setting that is probably meant: one that is written nearly so, or one of that name in a group."""
    known = list(names)
    close = get_close_matches(name, known, n=1, cutoff=ALIKE)
    return close[0] if close else next((each for each in known if each.rpartition(".")[2] == name), None)


def unknown_variables(environment: Mapping[str, str], names: Iterable[str]) -> dict[str, str | None]:
    """The variables that begin like ours and set nothing, each with the variable that is probably meant.

    None where no name is near: it is then perhaps another program's.
    """
    known = {variable(name): name for name in names}
    found: dict[str, str | None] = {}
    for given, value in environment.items():
        upper = given.upper()
        if not upper.startswith(PREFIX) or upper in known or upper == FILE_VARIABLE or not value:
            continue
        name = upper.removeprefix(PREFIX)
        if KUBERNETES.fullmatch(name) and not value.isalpha():
            continue
        meant = nearest(name.lower().replace("__", "."), known.values())
        found[given] = None if meant is None else variable(meant)
    return found
