"""What `onelook batch write-xmp` prints: a line for each file that somebody should see, and counts at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from onelook.batch.xmp.write import Outcome
from onelook.images.printable import printable

WORDS: Final = {
    "new": "new sidecars",
    "changed": "changed",
    "removed": "sidecars removed that held nothing else",
    "unchanged": "unchanged",
    "nothing": "without tags of ours",
    "unanswered": "without an answer",
    "backup": "backups of ExifTool, left as they are",
    "remote": "not on this machine",
    "refused": "refused",
}
"""Each outcome as the summary names it, in its order. `remote`: a URL, or a picture that the list itself holds."""


@dataclass(slots=True)
class Summary:
    """`unread`: nothing could look for keywords inside of the picture. `unasked` and `other`: sidecars of both names.
    `unknown`: pictures whose category has no confidence."""

    dry_run: bool
    counts: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    unasked: int = 0
    other: int = 0
    embedded: int = 0
    unknown: int = 0

    def add(self, outcome: Outcome) -> str | None:
        """Counts it. The line to print: of what is refused, and in a dry run of each file that would change."""
        self.counts[outcome.what] += 1
        written = outcome.what in ("new", "changed")
        self.unread += written and outcome.unread
        self.unasked += written and outcome.unasked
        self.other += written and outcome.other is not None
        self.embedded += written and outcome.file == outcome.picture
        file = printable(str(outcome.file))
        if outcome.error is not None:
            hint = f" ({outcome.error.hint})" if outcome.error.hint else ""
            return f"refused\t{file}\t{outcome.error.message}{hint}"
        if self.dry_run and (written or outcome.what == "removed"):
            keywords = [f"+{each}" for each in outcome.added] + [f"-{each}" for each in outcome.taken]
            return "\t".join([outcome.what, file, *keywords])
        return None

    def lines(self) -> Iterator[str]:
        """For the end, on standard error."""
        counted = [f"{self.counts[what]:,} {words}" for what, words in WORDS.items() if self.counts[what]]
        yield ("dry run, nothing is written: " if self.dry_run else "") + (", ".join(counted) or "no pictures")
        if self.unknown:
            yield (
                f"{self.unknown:,} answers have no confidence, so none of their tags is sure:"
                " --min-confidence 0 writes them all the same"
            )
        if self.unread:
            yield f"{self.unread:,} pictures could not be searched for keywords inside of them: ExifTool reads most"
        if self.unasked:
            yield (
                f"{self.unasked:,} pictures had a photo.xmp and no photo.jpg.xmp: it was taken, because programs that"
                " read both names would pass it over; --naming photo.jpg.xmp makes the other"
            )
        if self.other:
            yield f"{self.other:,} pictures have a sidecar of the other name too: its keywords were copied"
        if self.embedded and not self.dry_run:
            yield (
                f"{self.embedded:,} pictures have other bytes now: `onelook batch run` takes them for new ones."
                " ExifTool kept each as it was, with _original after its name"
            )

    @property
    def exit_code(self) -> int:
        return 1 if self.counts["refused"] else 0
