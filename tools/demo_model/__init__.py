"""The drawings, the training and the scores of the demo models. Beside the product, not in its wheel."""

from pathlib import Path
from typing import Final

HELDOUT: Final = Path(__file__).parent / "heldout"
"""240 drawings with their labels, of which no training saw one."""
