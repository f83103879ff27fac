"""Vectors of texts on disk: a taxonomy's texts are encoded once, not at every start."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import orjson

from onelook.engines.zero_shot.vectors import Vector, unit


class TextCache:
    """One small JSON file for each checkpoint and list of texts, named by the hash of both.

    A folder that cannot be written and a file that cannot be read count as an empty cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, identity: str, texts: Sequence[str]) -> list[Vector] | None:
        """The vectors of `texts`, in their order; None if they are not kept."""
        try:
            vectors = [unit(vector) for vector in orjson.loads(self._file(identity, texts).read_bytes())]
        except (OSError, ValueError, TypeError):
            return None
        return vectors if len(vectors) == len(texts) and len(set(map(len, vectors))) == 1 else None

    def store(self, identity: str, texts: Sequence[str], vectors: Sequence[Vector]) -> None:
        """Write and rename, so that no reader sees half a file."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(orjson.dumps(vectors))
            Path(file.name).replace(self._file(identity, texts))

    def _file(self, identity: str, texts: Sequence[str]) -> Path:
        return self._folder / f"{sha256(orjson.dumps([identity, texts])).hexdigest()}.json"
