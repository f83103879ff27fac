"""The bundled album: procedural drawings of everything the default taxonomy can say, with their truth.

`draw(seed)` makes one; `seeds(split, n)` names those of a split; `write_album` keeps them on disk, where
`onelook.lab.album` reads them.
"""

from tools.demo_model.album.generate import Drawing, Notes, Split, draw, seeds
from tools.demo_model.album.sheet import contact_sheet
from tools.demo_model.album.truth import CATEGORIES, OPTIONS
from tools.demo_model.album.write import write_album

__all__ = [
    "CATEGORIES", "OPTIONS", "Drawing", "Notes", "Split", "contact_sheet", "draw", "seeds", "write_album",
]  # fmt: skip
