"""What a reply may look like: made by `prompts`, kept by `engines`, which know nothing of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """A JSON reply. `schema` is portable; `regex` is the same set of replies, exactly as we would write them:
    no optional whitespace, keys in order, lists in taxonomy order. An engine takes the strictest that it can keep."""

    schema: Mapping[str, Any]
    regex: str


@dataclass(frozen=True, slots=True)
class Regex:
    """A reply that matches `pattern` from its first to its last character."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A reply that is one of `options`, letter for letter."""

    options: tuple[str, ...]


Constraint = JsonSchema | Regex | Choice
