"""From a path in a table of labels to the file: as it is written, and as other programs have changed it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from onelook.images.printable import printable
from onelook.images.source import is_data_url, is_url
from onelook.lab.label_words import Mistake


def picture_path(name: str, cells: Mapping[str, Any], folders: Sequence[Path]) -> Path:
    """The file `name`: absolute, or in the first of `folders` that has it. `cells`: of its row, for the URI that
    onelook writes of a path that text cannot hold.

    Raises:
        Mistake: there is no such file.
    """
    if is_url(name) or is_data_url(name):
        raise Mistake(f"{name[:80]} is not a file: download the picture, and write its path")
    for spelled in _spellings(name, cells):
        for path in [Path(spelled)] if os.path.isabs(spelled) else [folder / spelled for folder in folders]:  # noqa: PTH117
            if os.path.isfile(path):  # noqa: PTH113 - false, too, for a name that no file can have
                return path
    if os.path.isabs(name):  # noqa: PTH117
        raise Mistake(f"no picture {printable(name)}: correct the path, or remove the line")
    places = " or ".join(printable(str(folder)) for folder in folders)
    raise Mistake(f"no picture {printable(name)} in {places}: correct the path, or name its folder with --pictures")


def _spellings(name: str, cells: Mapping[str, Any]) -> Iterator[str]:
    uris = [cells.get("path_uri"), *(cells.get("image_uris") or ())]
    for uri in uris:
        if isinstance(uri, str) and uri.startswith("file:"):
            yield os.fsdecode(unquote_to_bytes(urlsplit(uri).path))
    yield name
    if name.startswith("'"):  # what an export puts before a text that a spreadsheet would take for a formula
        yield name[1:]
    if "\\" in name:
        yield name.replace("\\", "/")
