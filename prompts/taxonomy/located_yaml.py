"""Reads any YAML 1.2 document with the line of each key: slow, and needed only to say where a mistake is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from onelook.prompts.taxonomy.checks import Location, Mistake

# categories.x.details.y.options.z.zh: a taxonomy has nothing deeper, and an alias to itself would never end.
DEEPEST = 7


class NotYaml(Exception):
    """The text is not YAML; `line` (from 1) where that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class Located(NamedTuple):
    """A document, the line (from 1) of each of its keys, and the keys that a mapping has twice."""

    document: Any
    lines: dict[Location, int]
    duplicates: list[Mistake]


def read_located(text: str) -> Located:
    """
    Raises:
        NotYaml: the text is not YAML.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # found below, all of them
    try:
        root = yaml.compose(text)
        document = yaml.load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise NotYaml(error.problem or str(error), line) from None
    except (
        YAMLError,
        ValueError,
        RecursionError,
    ) as error:  # ValueError: it looks like a number and is none, as -_ does
        raise NotYaml(str(error)) from None
    lines: dict[Location, int] = {}
    return Located(document, lines, [] if root is None else list(_walk(root, (), lines)))


def _walk(node: Node, at: Location, lines: dict[Location, int]) -> Iterator[Mistake]:
    """Note the line of each key; yield the keys that a mapping has twice."""
    lines.setdefault(at, node.start_mark.line + 1)
    if len(at) >= DEEPEST:
        return
    if isinstance(node, MappingNode):
        for key, value in node.value:
            location = (*at, str(key.value))
            if location in lines:
                first = f"duplicate key, first on line {lines[location]}"
                yield Mistake(location, first, key.start_mark.line + 1, kind="duplicate key")
                continue
            lines[location] = key.start_mark.line + 1
            yield from _walk(value, location, lines)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*at, index), lines)
