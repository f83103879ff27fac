"""Reads a taxonomy document, and reports every mistake in it by file, line and key path."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import itemgetter
from pathlib import Path

from onelook.errors import TaxonomyError
from onelook.prompts.languages import TEMPLATES, separators
from onelook.prompts.replies.compact import ambiguities
from onelook.prompts.taxonomy.checks import Location, Mistake, check
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.prompts.taxonomy.plain_yaml import NotPlain, read_plain
from onelook.settings.hints import set_to

STARTERS = Path(__file__).parent
"""Where `starter.en.yaml` and `starter.zh.yaml` are, the documents that `onelook taxonomy init` writes."""

MOST_OF_A_KIND = 5
"""So many mistakes of one kind are listed, the others counted: one slip at the top can make thousands below."""

HINT = "docs/taxonomy.md describes every key; `onelook taxonomy init` writes a file to begin with"


def load_taxonomy(path: Path, templates: Path = TEMPLATES) -> Taxonomy:
    """The taxonomy in a YAML 1.2 file. `templates`: those that will ask about it; they say what stands between values.

    Raises:
        TaxonomyError: the file cannot be read, is not YAML, or is not a taxonomy. The message has a line
            `FILE:LINE: key.path: what was wrong, what was expected` for every mistake.
        PromptError: the templates say nothing of what stands between values.
    """
    text = _read(path)
    try:
        return parse_taxonomy(read_plain(text), templates=templates)
    except (NotPlain, TaxonomyError):
        return _read_again(path, text, templates)


def parse_taxonomy(document: object, where: str = "taxonomy", templates: Path = TEMPLATES) -> Taxonomy:
    """The taxonomy in a document that is already in memory.

    Raises:
        TaxonomyError: with a line `where: key.path: what was wrong, what was expected` for every mistake.
    """
    return _checked(document, where, {}, [], templates)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TaxonomyError(
            f"{path}: no such file",
            hint=f"name a taxonomy (YAML): {set_to(ONELOOK_TAXONOMY='FILE')}; `onelook taxonomy init` writes one",
        ) from None
    except OSError as error:
        raise TaxonomyError(
            f"{path}: cannot be read: {error.strerror}", hint=f"name another: {set_to(ONELOOK_TAXONOMY='FILE')}"
        ) from error
    except UnicodeDecodeError as error:
        raise TaxonomyError(f"{path}: is not UTF-8 (byte {error.start})", hint="save the file as UTF-8") from error


def _read_again(path: Path, text: str, templates: Path) -> Taxonomy:
    """With the reader that knows all of YAML and the line of each key; a file without mistakes seldom needs it."""
    from onelook.prompts.taxonomy.located_yaml import NotYaml, read_located

    try:
        document, lines, duplicates = read_located(text)
    except NotYaml as error:
        place = path if error.line is None else f"{path}:{error.line}"
        raise TaxonomyError(
            f"{place}: is not YAML: {error}", hint="correct the YAML; spaces at the start of a line have a meaning"
        ) from None
    if document is None:
        raise TaxonomyError(f"{path}: is empty, expected name and categories", hint=HINT)
    return _checked(document, str(path), lines, duplicates, templates)


def _checked(
    document: object, where: str, lines: Mapping[Location, int], duplicates: list[Mistake], templates: Path
) -> Taxonomy:
    taxonomy, mistakes = check(document)
    if taxonomy is None or mistakes or duplicates:
        raise _error(where, lines, duplicates + mistakes)
    unclear = [
        mistake
        for language in taxonomy.languages
        for mistake in ambiguities(taxonomy, language, separators(language, templates))
    ]
    if unclear:
        raise _error(where, lines, unclear)
    return taxonomy


def _error(where: str, lines: Mapping[Location, int], mistakes: Iterable[Mistake]) -> TaxonomyError:
    """The mistakes in the order of their lines, and then, of each kind that has more, how many."""
    kinds: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for mistake in dict.fromkeys(mistakes):
        place = mistake.line or _line(mistake.location, lines)
        path = ".".join(map(str, mistake.location)) or "document"
        kinds[mistake.kind or mistake.message].append((place, path, mistake.message))
    order = None if lines else itemgetter(0)  # without lines they stay in the order of the document
    for found in kinds.values():
        found.sort(key=order)
    shown = sorted((each for found in kinds.values() for each in found[:MOST_OF_A_KIND]), key=order)
    listed = [f"{where}{f':{line}' if lines else ''}: {path}: {message}" for line, path, message in shown]
    counted = [
        f"{where}: {len(found) - MOST_OF_A_KIND:,} more like that{f', down to line {found[-1][0]}' if lines else ''}:"
        f" {found[0][1]}: {found[0][2]}"
        for found in kinds.values()
        if len(found) > MOST_OF_A_KIND
    ]
    return TaxonomyError("\n".join(dict.fromkeys([*listed, *counted])), hint=HINT)


def _line(location: Location, lines: Mapping[Location, int]) -> int:
    """The line of the key, or of the nearest key above it that has one."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)
