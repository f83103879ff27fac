"""`onelook batch diff`: what another version of the answers changed."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Annotated

import typer

from onelook.batch.changes import Change, Side, compare, newest_two
from onelook.cli.failure import reported
from onelook.cli.notes import print_note
from onelook.cli.options import JsonOption
from onelook.cli.write_json import write_json
from onelook.images.printable import printable

EPILOG = """
\b
Examples:
  onelook batch diff tags
      the newest version of the answers, against the one before
  onelook batch diff tags@1 tags@3
  onelook batch diff old-tags new-tags
      two batches; pictures are matched by their bytes
"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EPILOG)
def diff(
    old: Annotated[str, typer.Argument(help="A batch's folder, or a version of its answers: FOLDER@1.")],
    new: Annotated[str | None, typer.Argument(help="The same, newer. Default: the newest version of OLD.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The pictures whose tags changed between two versions of the answers."""
    with reported():
        first = Side.parse(old)
        if new is None:
            second = Side(first.folder, None)
            if first.version is None:
                first, second = newest_two(first.folder)
        else:
            second = Side.parse(new)
        found = compare(first, second)
        if as_json:
            write_json(
                {
                    "compared": found.compared,
                    "only_old": found.only_old,
                    "only_new": found.only_new,
                    "changes": [{"image": printable(each.place), "labels": each.labels} for each in found.changes],
                },
                indent=2,
            )
            return
        for change in found.changes:
            sys.stdout.write(f"{printable(change.place)}\t{words(change)}\n")
        kinds = Counter(name for each in found.changes for name in each.labels)
        note = f"{len(found.changes):,} of {found.compared:,} pictures have other tags"
        if kinds:
            note += f": {', '.join(f'{count:,} {name}' for name, count in kinds.most_common())}"
        if found.only_old or found.only_new:
            note += f"; {found.only_old:,} have an answer in the old one only, {found.only_new:,} in the new one only"
        print_note(note)


def words(change: Change) -> str:
    """`category: animal -> other, species: cat -> none`."""
    return ", ".join(f"{name}: {before or '-'} -> {after or '-'}" for name, (before, after) in change.labels.items())
