"""Reads a taxonomy document, and tells every mistake in it by file, line and key path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from onelook.errors import TaxonomyError
from onelook.prompts.replies.compact import ambiguities
from onelook.prompts.taxonomy.checks import Location, Problem, problems
from onelook.prompts.taxonomy.model import Taxonomy

HINT = "`onelook taxonomy check FILE` tells every mistake of a file; `onelook taxonomy show` prints a working one"

# categories.x.details.y.options.z.zh: nothing of a taxonomy lies deeper, and an alias to itself would never end.
DEEPEST = 7


def load_taxonomy(path: Path) -> Taxonomy:
    """The taxonomy in a YAML 1.2 file.

    Raises:
        TaxonomyError: the file cannot be read, is not YAML, or is not a taxonomy. The message has a line
            `FILE:LINE: key.path: what was wrong, what was expected` for every mistake.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TaxonomyError(f"{path}: no such file", hint="give the path of a taxonomy file (YAML)") from None
    except OSError as error:
        raise TaxonomyError(f"{path}: cannot be read: {error.strerror}", hint="give a readable file") from error
    except UnicodeDecodeError as error:
        raise TaxonomyError(f"{path}: is not UTF-8 (byte {error.start})", hint="save the file as UTF-8") from error

    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True  # found below, all of them
    try:
        root = yaml.compose(text)
        document = yaml.load(text)
    except YAMLError as error:
        raise TaxonomyError(
            _yaml_error(path, error), hint="mend the YAML; blanks at the start of lines count"
        ) from None
    if document is None:
        raise TaxonomyError(f"{path}: is empty, expected name and categories", hint=HINT)

    lines: dict[Location, int] = {}
    duplicates = list(_walk(root, (), lines))
    return _checked(document, str(path), lines, duplicates)


def parse_taxonomy(document: Mapping[str, Any], where: str = "taxonomy") -> Taxonomy:
    """The taxonomy in a document that is already in memory.

    Raises:
        TaxonomyError: with a line `where: key.path: what was wrong, what was expected` for every mistake.
    """
    return _checked(document, where, {}, [])


def _checked(document: object, where: str, lines: Mapping[Location, int], found: list[Problem]) -> Taxonomy:
    found += problems(document)
    if found:
        raise _error(where, lines, found)
    taxonomy = Taxonomy.model_validate(document)
    if unclear := [Problem(*pair) for language in taxonomy.languages for pair in ambiguities(taxonomy, language)]:
        raise _error(where, lines, unclear)
    return taxonomy


def _error(where: str, lines: Mapping[Location, int], found: Iterable[Problem]) -> TaxonomyError:
    def line(location: Location) -> int:
        while location and location not in lines:
            location = location[:-1]
        return lines.get(location, 1)

    placed = sorted(
        (problem.line or line(problem.location), ".".join(map(str, problem.location)) or "document", problem.message)
        for problem in found
    )
    told = [f"{where}{f':{number}' if lines else ''}: {path}: {message}" for number, path, message in placed]
    return TaxonomyError("\n".join(dict.fromkeys(told)), hint=HINT)


def _walk(node: Node, at: Location, lines: dict[Location, int]) -> Iterator[Problem]:
    """Note the line (from 1) on which each key stands; yield the keys that a mapping has twice."""
    lines.setdefault(at, node.start_mark.line + 1)
    if len(at) >= DEEPEST:
        return
    if isinstance(node, MappingNode):
        for key, value in node.value:
            location = (*at, str(key.value))
            if location in lines:
                yield Problem(location, f"duplicate key, first on line {lines[location]}", key.start_mark.line + 1)
                continue
            lines[location] = key.start_mark.line + 1
            yield from _walk(value, location, lines)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*at, index), lines)


def _yaml_error(path: Path, error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        return f"{path}:{error.problem_mark.line + 1}: is not YAML: {error.problem}"
    return f"{path}: is not YAML: {error}"
