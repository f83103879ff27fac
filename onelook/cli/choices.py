"""From a command's options to what a run may choose."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from onelook.errors import SettingsError
from onelook.types import Context, Resolution


def choices(**given: Any) -> Context:
    """The run's choices that were made on the command line; None means "not given".

    Raises:
        SettingsError: a value is wrong; the message names its option.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Context(**chosen)
    except ValidationError as error:
        problems = "; ".join(
            f"--{'.'.join(str(part) for part in problem['loc']).replace('_', '-')}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        )
        raise SettingsError(problems, hint="`onelook tag --help` lists the choices") from None


def sizes(resolution: Resolution | None, long_edge: int | None) -> dict[str, Any]:
    """A long edge that is named here beats a resolution that is set elsewhere.

    Raises:
        SettingsError: both are given, and they contradict each other.
    """
    if long_edge is None:
        return {"resolution": resolution}
    if resolution == "auto":
        raise SettingsError(
            "--long-edge is for --resolution fixed; with auto, each picture's content decides",
            hint="leave one of them out; auto's own sizes are settings: ONELOOK_RESOLUTION__PHOTO_MOST=768 and so on",
        )
    return {"resolution": "fixed", "long_edge": long_edge}
