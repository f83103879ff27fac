"""Keywords that are not ours, and what every list should hold because of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from onelook.batch.xmp.keywords import Keyword
from onelook.batch.xmp.labels import clean, split_path
from onelook.batch.xmp.names import LISTS, PATH_LISTS, SUBJECT, KeywordList
from onelook.batch.xmp.packet import Packet
from onelook.batch.xmp.provenance import read_provenance
from onelook.batch.xmp.rdf import find, take

Entries = Mapping[KeywordList, Sequence[str]]
Path = tuple[str, ...]
Key = TypeVar("Key", str, Path)


def theirs(packet: Packet) -> dict[KeywordList, list[str]]:
    """The entries of each list that we did not add. Of one that is there twice, the second is theirs."""
    record = read_provenance(packet)
    found = dict[KeywordList, list[str]]()
    for each in LISTS:
        ours = Counter(record.added.get(each, ()))
        found[each] = [entry for entry in entries(packet, each) if not take(ours, entry)]
    return found


def entries(packet: Packet, keyword_list: KeywordList) -> list[str]:
    return [value for found in find(packet, *keyword_list.properties) for value in found.values if value]


def joined(parts: Iterable[Entries]) -> dict[KeywordList, list[str]]:
    """All of them, each once."""
    every = list(parts)
    return {each: list(dict.fromkeys(entry for part in every for entry in part.get(each, ()))) for each in LISTS}


def missing(here: Entries, elsewhere: Entries, ours: Sequence[Keyword]) -> dict[KeywordList, tuple[str, ...]]:
    """What each list needs beside the entries of theirs that it has: some programs read the first list that exists, so
    every list has their keywords from all lists, and ours.

    A flat keyword that is a level of one of their paths is there already (Lightroom lists every level flat); so is one
    that a program made of the upper levels of ours.
    """
    everything = joined((here, elsewhere))
    paths = dict.fromkeys(
        path for each in PATH_LISTS for entry in everything[each] if (path := split_path(entry, each.separator or ""))
    )
    ours_flat = {clean(each.flat) for each in ours}
    known = {level for path in paths for level in path} | {level for each in ours for level in each.path} - ours_flat
    flat = [label for entry in everything[SUBJECT] if (label := clean(entry))]
    alone: list[Path] = [(label,) for label in flat if label not in known]
    wanted_paths = dict.fromkeys([*paths, *alone, *(each.path for each in ours)])
    wanted_flat = dict.fromkeys([*flat, *(path[-1] for path in paths), *(each.flat for each in ours)])
    needed = {SUBJECT: _without(wanted_flat, {clean(entry) for entry in here.get(SUBJECT, ())})}
    for each in PATH_LISTS:
        separator = each.separator or ""
        has = {split_path(entry, separator) for entry in here.get(each, ())}
        needed[each] = tuple(separator.join(path) for path in _without(wanted_paths, has))
    return needed


def _without(wanted: Iterable[Key], has: set[Key]) -> tuple[Key, ...]:
    return tuple(each for each in wanted if each not in has)
