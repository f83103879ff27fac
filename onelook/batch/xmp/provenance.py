"""Our own properties in a packet: what answered for which picture, how sure it was, and what we added to which list.

They are what makes our keywords findable, replaceable and removable, whatever another program has done to the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from onelook.batch.xmp.keywords import Keyword, PictureTags
from onelook.batch.xmp.names import HIERARCHICAL, KEYWORDS, LISTS, ONELOOK, RESULTS, KeywordList, Property
from onelook.batch.xmp.packet import Packet
from onelook.batch.xmp.rdf import fields, find

PICTURE: Final = Property(ONELOOK, "Picture")
MODEL: Final = Property(ONELOOK, "Model")
TAXONOMY: Final = Property(ONELOOK, "Taxonomy")
ID: Final = Property(ONELOOK, "Id")
PATH: Final = Property(ONELOOK, "Path")
CONFIDENCE: Final = Property(ONELOOK, "Confidence")
BETWEEN: Final = HIERARCHICAL.separator or ""

Structure = dict[Property, str]


@dataclass(frozen=True, slots=True)
class Provenance:
    """`pictures`: by file name. `added`: to each list, the entries that were not there before us."""

    pictures: Mapping[str, PictureTags] = field(default_factory=dict)
    added: Mapping[KeywordList, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.pictures) or any(self.added.values())

    def same(self, other: Provenance) -> bool:
        """Whatever the order of pictures and entries: a bag has none. An empty list and none are the same."""
        return dict(self.pictures) == dict(other.pictures) and all(
            set(self.added.get(each, ())) == set(other.added.get(each, ())) for each in LISTS
        )


def read_provenance(packet: Packet) -> Provenance:
    """What we left in this packet; unknown fields are passed over."""
    keywords = dict[str, list[Keyword]]()
    for each in _structures(packet, KEYWORDS):
        path = tuple(filter(None, each.get(PATH, "").split(BETWEEN)))
        if path:
            keyword = Keyword(path, each.get(ID, ""), each.get(CONFIDENCE))
            keywords.setdefault(each.get(PICTURE, ""), []).append(keyword)
    pictures = {
        name: PictureTags(name, each.get(MODEL, ""), each.get(TAXONOMY, ""), tuple(keywords.get(name, ())))
        for each in _structures(packet, RESULTS)
        if (name := each.get(PICTURE, ""))
    }
    added = {
        each: tuple(value for found in find(packet, each.added) for value in found.values)
        for each in LISTS
        if find(packet, each.added)
    }
    return Provenance(pictures, added)


def _structures(packet: Packet, name: Property) -> Iterator[Structure]:
    for found in find(packet, name):
        if found.container is not None:
            for item in found.container.children:
                yield {each: value.strip() for each, value in fields(item)}


def structures(record: Provenance) -> dict[Property, list[Structure]]:
    """As they are written: a sequence of structures for each property."""
    results, keywords = list[Structure](), list[Structure]()
    for tags in record.pictures.values():
        results.append({PICTURE: tags.picture, MODEL: tags.model, TAXONOMY: tags.taxonomy})
        for each in tags.keywords:
            confidence = {} if each.confidence is None else {CONFIDENCE: each.confidence}
            keywords.append({PICTURE: tags.picture, ID: each.id, PATH: BETWEEN.join(each.path), **confidence})
    return {RESULTS: results, KEYWORDS: keywords}
