"""Small pictures, for a notebook that displays a result."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from onelook.errors import ImageError
from onelook.images.limits import Limits
from onelook.images.memory import path_of
from onelook.images.original import Original
from onelook.images.source import describe, is_data_url, is_url, read_local
from onelook.preview import Preview
from onelook.settings.resolution import at_most

LONG_EDGE = 256  # pixels


def thumbnail(reference: object, limits: Limits) -> str | None:
    """The picture, at most 256 pixels long, as a data URL.

    None for a URL, which is not downloaded a second time, and where the picture is gone or cannot be read.
    """
    if isinstance(reference, str) and is_url(reference):
        return None
    bounds = at_most(LONG_EDGE)
    try:
        source = read_local(reference, limits)
        original = Original(source, name=describe(reference), max_pixels=limits.max_pixels, up_to=[bounds], grid=1)
        return original.picture(bounds).data_url
    except ImageError:
        return None


async def preview(references: Iterable[object], limits: Limits) -> Preview:
    """What it takes to display the pictures later: of a file its path, of a URL nothing, of a picture in memory a
    thumbnail; this is made under IPython only, where somebody can see it."""
    draw: list[Callable[[], str | None]] = []
    for reference in references:
        path = _path(reference)
        if path is not None:
            draw.append(partial(thumbnail, path, limits))
        elif _under_ipython():
            small = await asyncio.to_thread(thumbnail, reference, limits)
            draw.append(partial(_kept, small))
    return Preview(draw)


def _path(reference: object) -> Path | None:
    """The file that is meant even when the working folder has changed."""
    if isinstance(reference, str):
        name = None if is_url(reference) or is_data_url(reference) else reference
    else:
        name = path_of(reference)
    try:
        return Path(name).absolute() if name else None
    except OSError:  # the working folder is gone
        return None


def _kept(small: str | None) -> str | None:
    return small


def _under_ipython() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
