"""What runs on every machine: a tagger, and the same function for each row as on one machine."""

from __future__ import annotations

from typing import Any

import pyarrow

from onelook.background import BackgroundLoop
from onelook.batch.ray.answers import Done, ListRow, answer_table, to_place
from onelook.batch.row import tag_file
from onelook.run_pool import as_completed
from onelook.settings.process import Settings
from onelook.tagger import Tagger
from onelook.types import Context


class TagRows:
    """One for each actor: it keeps its model, or its connections, from block to block."""

    def __init__(self, settings: Settings, context: Context | None) -> None:
        self._tagger = Tagger(settings)
        self._context = context
        self._loop = BackgroundLoop()

    def __call__(self, block: Any) -> pyarrow.Table:
        """A row for each row of `block` (columns as in the list); a failure is a row as well."""
        pictures = [
            ListRow(row["id"], to_place(row["place"]), row["size"], row["mtime_ns"]) for row in block.to_pylist()
        ]
        done = self._loop.run(self._tag(pictures)) if pictures else []
        return answer_table(self._tagger.services.taxonomy, done)

    async def _tag(self, pictures: list[ListRow]) -> list[Done]:
        tagger = self._tagger

        async def one(picture: ListRow) -> Done:
            return picture, *await tag_file(tagger, picture.place, self._context)

        at_once = tagger.services.settings.concurrency
        found = {index: done async for index, done in as_completed(one, pictures, at_once=at_once)}
        return [found[index] for index in range(len(pictures))]
