"""A contact sheet: one HTML file with thumbnails and filters, which loads nothing and runs no script but its own.

Names, paths and labels are foreign text. They are in data blocks, in which no `<` stands, and the page's script writes
them as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any, BinaryIO, Final

import orjson

from onelook.batch.export.aside import aside
from onelook.batch.export.batch import Batch
from onelook.batch.export.columns import Choices, Entry, readable_path, taxonomy_of
from onelook.batch.export.thumbnails import thumbnails
from onelook.images.limits import Limits
from onelook.images.source import describe, is_data_url, is_url
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import least_confidence
from onelook.standalone_page import WEB, joined, policy, without_tags
from onelook.types import Tag

PAGE: Final = files("onelook.batch.export") / "page"
STYLES: Final = (WEB / "base.css", WEB / "gallery.css", PAGE / "sheet.css")
SCRIPTS: Final = (
    WEB / "standalone.js",
    *(PAGE / name for name in ("words.js", "data.js", "filters.js", "grid.js", "details.js", "sheet.js")),
)
THUMBNAILS_IN_BLOCK: Final = 128


@dataclass(frozen=True, slots=True)
class SheetChoices:
    """`thumbnail_size`: the longest side in pixels; None: no thumbnails. `limits`: for reading the pictures."""

    thumbnail_size: int | None
    limits: Limits


@dataclass(frozen=True, slots=True)
class Sheet:
    """How many pictures the page shows, and how many of the thumbnails could not be made."""

    pictures: int
    without_thumbnail: int


def write_sheet(
    batch: Batch, out: Path, choices: Choices, sheet: SheetChoices, *, on_entry: Callable[[], None] = lambda: None
) -> Sheet:
    """Write the page to `out`.

    Raises:
        BatchError: it cannot be written; a file that was there is as it was.
    """
    taxonomy, missing = taxonomy_of(batch.version), 0
    with aside(out, batch.folder) as part, part.open("wb") as file:
        file.write(_head())
        _block(file, "batch", orjson.dumps(_about(batch, taxonomy)))
        shown = Shown(taxonomy, with_thumbnails=sheet.thumbnail_size is not None)
        entries = batch.entries(choices, on_entry if sheet.thumbnail_size is None else lambda: None)
        _blocks_of_rows(file, shown.rows(entries))
        if sheet.thumbnail_size is not None:
            blocks = thumbnails(shown.places, sheet.limits, sheet.thumbnail_size, THUMBNAILS_IN_BLOCK, on_entry)
            for number, block in enumerate(blocks):
                _block(file, f"thumbnails-{number}", orjson.dumps(block))
                missing += block.count(None)
        file.write(f'<script type="module">{joined(*SCRIPTS)}</script>\n</body>\n</html>\n'.encode())
    return Sheet(shown.count, missing)


class Shown:
    """The rows of the page. `places`: the pictures that a thumbnail is made of, each of the same bytes once."""

    def __init__(self, taxonomy: Taxonomy, *, with_thumbnails: bool) -> None:
        self.count = 0
        self.places: list[str] = []
        self._with_thumbnails = with_thumbnails
        self._thumbnail_of: dict[str, int] = {}
        self._categories = {id_: number for number, id_ in enumerate(taxonomy.categories)}
        self._options = {
            (category, attribute, option): (place, number)
            for category, described in taxonomy.categories.items()
            for place, (attribute, asked) in enumerate(described.details.items())
            for number, option in enumerate(asked.options)
        }

    def rows(self, entries: Iterable[Entry]) -> Iterator[list[Any]]:
        """As `page/data.js` reads them."""
        for entry in entries:
            self.count += 1
            record, category = entry.record, entry.tags.category
            yield [
                entry.id,
                describe(record.place) if is_data_url(record.place) else readable_path(record.place),
                _link(record.place),
                entry.status,
                None if category is None else self._categories[category.id],
                None if category is None else _rounded(category.confidence),
                _rounded(least_confidence(entry.all_tags)),
                [] if category is None else self._tags(category, entry),
                [error.message for error in entry.errors],
                entry.duplicate_of,
                self._thumbnail(record.place, record.sha256),
            ]

    def _tags(self, category: Tag, entry: Entry) -> list[list[Any]]:
        return [
            [*self._options[category.id, attribute, tag.id], _rounded(tag.confidence)]
            for attribute, tags in entry.tags.details.items()
            for tag in tags
        ]

    def _thumbnail(self, place: str, sha256: str | None) -> int | None:
        if not self._with_thumbnails or is_url(place):
            return None
        key = sha256 or place
        if key not in self._thumbnail_of:
            self._thumbnail_of[key] = len(self.places)
            self.places.append(place)
        return self._thumbnail_of[key]


def _about(batch: Batch, taxonomy: Taxonomy) -> dict[str, Any]:
    made = batch.version.made_from
    model = made.get("model")
    return {
        "name": readable_path(batch.folder.resolve().name),
        "version": batch.version.id,
        "model": model.get("name", "") if isinstance(model, dict) else str(model or ""),
        "thumbnailsInBlock": THUMBNAILS_IN_BLOCK,
        "categories": [
            {
                "id": id_,
                "label": category.label,
                "attributes": [
                    {
                        "id": name,
                        "label": attribute.label,
                        "options": [{"id": option, "label": label} for option, label in attribute.options.items()],
                    }
                    for name, attribute in category.details.items()
                ],
            }
            for id_, category in taxonomy.categories.items()
        ],
    }


def _head() -> bytes:
    style = joined(*STYLES)
    page = Template(joined(PAGE / "sheet.html"))
    return page.substitute(style=style, policy=policy(style, joined(*SCRIPTS))).encode()


def _blocks_of_rows(file: BinaryIO, rows: Iterable[list[Any]]) -> None:
    """One after another: the rows of a large batch are never in memory together."""
    file.write(b'<script type="application/json" id="rows">[')
    for number, row in enumerate(rows):
        file.write((b",\n" if number else b"\n") + without_tags(orjson.dumps(row)))
    file.write(b"]</script>\n")


def _block(file: BinaryIO, id_: str, data: bytes) -> None:
    file.write(f'<script type="application/json" id="{id_}">'.encode() + without_tags(data) + b"</script>\n")


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 6)


def _link(place: str) -> str | None:
    """The picture's address: of a file or of a web server, and of nothing else."""
    if is_url(place):
        return place
    return Path(place).as_uri() if not is_data_url(place) and Path(place).is_absolute() else None
