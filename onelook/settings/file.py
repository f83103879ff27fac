"""The settings file: `onelook.toml` in the current folder, or the one that `--config` or `ONELOOK_CONFIG` names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any

from pydantic_settings import BaseSettings, TomlConfigSettingsSource

from onelook.errors import SettingsError
from onelook.settings.names import FILE_VARIABLE, nearest, setting_names

FILE = Path("onelook.toml")
PATHS = ("taxonomy", "templates", "calibration")
"""Settings that name a file; in a settings file such a path begins at the folder of that file."""


def settings_file(config: Path | None) -> Path | None:
    """The file that is read: `config`, else that of `ONELOOK_CONFIG`, else `onelook.toml` if it is here.

    Raises:
        SettingsError: the file that is named does not exist.
    """
    named = config or (Path(os.environ[FILE_VARIABLE]) if os.environ.get(FILE_VARIABLE) else None)
    if named is None:
        return FILE if FILE.is_file() else None
    if not named.is_file():
        raise SettingsError(
            f"the settings file {named} does not exist", hint=f"--config FILE or {FILE_VARIABLE}=FILE names another one"
        )
    return named


class SettingsFile(TomlConfigSettingsSource):
    """The settings in `path`; None: there are none.

    Raises:
        SettingsError: it cannot be read, is not TOML, or has a key that is no setting.
    """

    def __init__(self, settings: type[BaseSettings], path: Path | None) -> None:
        self.path = path
        try:
            super().__init__(settings, toml_file=path)
        except TOMLDecodeError as error:
            raise SettingsError(
                f"{path} is not TOML: {error}", hint='write NAME = "VALUE", and groups as [run]; text is in quotes'
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"{path} cannot be read: {error}", hint=f"--config FILE or {FILE_VARIABLE}=FILE names another one"
            ) from None
        if path is None:
            return
        names = setting_names(settings)
        wrong = [f"{path}: {_unknown(key, names)}" for key in _keys(self.toml_data) if key not in names]
        if wrong:
            raise SettingsError("\n".join(wrong), hint="`onelook config` prints every setting")
        for name in PATHS:
            if isinstance(value := self.init_kwargs.get(name), str):
                self.init_kwargs[name] = str(path.parent / value)


def _unknown(key: str, names: list[str]) -> str:
    meant = nearest(key, names)
    return f"{key} is no setting" + (f" (did you mean {meant}?)" if meant else "")


def _keys(document: Mapping[str, Any]) -> Iterator[str]:
    """Every key of a document, those of its tables as `run.arm`."""
    for key, value in document.items():
        yield key
        if isinstance(value, Mapping):
            yield from (f"{key}.{inner}" for inner in _keys(value))
