"""The album: procedural drawings of everything in the default taxonomy, with their labels.

`draw(seed)` makes one; `seeds(split, n)` are the seeds of a split; `write_album` writes a folder that
`onelook.lab.album` reads.
"""

from tools.demo_model.album.generate import Drawing, Notes, Split, draw, seeds
from tools.demo_model.album.sheet import contact_sheet
from tools.demo_model.album.truth import CATEGORIES, OPTIONS
from tools.demo_model.album.write import write_album

__all__ = [
    "CATEGORIES", "OPTIONS", "Drawing", "Notes", "Split", "contact_sheet", "draw", "seeds", "write_album",
]  # fmt: skip
