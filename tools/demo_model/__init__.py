"""Drawings, training and evaluation of the demo models. A development tool, which is not in the wheel."""

from pathlib import Path
from typing import Final

HELDOUT: Final = Path(__file__).parent / "heldout"
"""240 labelled drawings that are not used for training."""
