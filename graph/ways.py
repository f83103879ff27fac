"""The names of the edges where ways part: a node writes one of them, and every drawing shows it."""

from __future__ import annotations

from typing import Literal

EntryWay = Literal["fused", "reads", "hybrid", "legacy, legacy_shared"]
"""From `prepare` to the node that its arms enter: their names."""

Way = (
    EntryWay
    | Literal["no details", "has details", "router not sure", "size by category"]  # after route
    | Literal["unreadable", "has details", "complete"]  # after parse
    | Literal["look again", "hard", "done"]  # after review
    | Literal["category known", "for the specialist"]  # after enlarge
)
