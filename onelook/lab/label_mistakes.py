"""All mistakes of a set of labels, in one message: nobody wants to find them one run at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from onelook.errors import LabelsError
from onelook.images.printable import printable
from onelook.prompts.taxonomy.model import Taxonomy

MOST: Final = 20


class Mistakes:
    """`known_categories`: how often a category was found. `versions`: those of the taxonomies that rows name."""

    def __init__(self, labels: Path, taxonomy: Taxonomy | None) -> None:
        self.known_categories = 0
        self.versions: set[str] = set()
        self._labels = printable(str(labels))
        self._taxonomy = taxonomy
        self._found: list[str] = []
        self._unknown_categories = 0

    def add(self, where: str, what: str) -> None:
        self._found.append(f"{where}: {printable(what)}")

    def unknown_category(self, where: str, what: str) -> None:
        self.add(where, what)
        self._unknown_categories += 1

    def refuse(self, hint: str) -> None:
        """Raises `LabelsError` if there are any; `hint` says what to do where nothing more is known."""
        if not self._found:
            return
        if len(self._found) == 1:
            message = f"{self._labels}, {self._found[0]}"
        else:
            shown = self._found[:MOST]
            more = len(self._found) - len(shown)
            lines = [f"{self._labels}: {len(self._found)} mistakes", *shown, *([f"and {more} more"] if more else [])]
            message = "\n  ".join(lines)
        raise LabelsError(message, hint=self._other_taxonomy() or hint)

    def _other_taxonomy(self) -> str | None:
        taxonomy = self._taxonomy
        if taxonomy is None:
            return None
        if other := self.versions - {taxonomy.version}:
            reason = f"the rows say that they are of version {', '.join(sorted(other))} of a taxonomy; this is"
        elif self._unknown_categories and not self.known_categories:
            reason = "not one category is of the taxonomy"
        else:
            return None
        return (
            f"{reason} {taxonomy.name} {taxonomy.version} ({', '.join(taxonomy.categories)}): name the taxonomy of"
            " these labels with --taxonomy FILE"
        )
