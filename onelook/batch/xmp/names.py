"""The properties that hold keywords, and our own: namespaces, separators, kinds of list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XML: Final = "http://www.w3.org/XML/1998/namespace"
DC: Final = "http://purl.org/dc/elements/1.1/"
LIGHTROOM: Final = "http://ns.adobe.com/lightroom/1.0/"
DIGIKAM: Final = "http://www.digikam.org/ns/1.0/"
MICROSOFT: Final = "http://ns.microsoft.com/photo/1.0/"
PHOTOSHOP: Final = "http://ns.adobe.com/photoshop/1.0/"
ONELOOK: Final = "https://onelook.invalid/ns/xmp/1.0/"
"""A name, no address: `.invalid` can never be someone's (RFC 2606)."""

PREFIXES: Final = {
    DC: "dc",
    LIGHTROOM: "lr",
    DIGIKAM: "digiKam",
    MICROSOFT: "MicrosoftPhoto",
    PHOTOSHOP: "photoshop",
    ONELOOK: "onelook",
}

Kind = Literal["Bag", "Seq"]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a packet: its namespace and its name."""

    namespace: str
    name: str

    @property
    def prefixed(self) -> str:
        return f"{PREFIXES[self.namespace]}:{self.name}"


@dataclass(frozen=True, slots=True)
class KeywordList:
    """A list of keywords.

    `separator` stands between the levels of a path; None: the list is flat. `added`: our property that records which of
    its entries we added. `also`: the name with another spelling of its namespace that programs write.
    """

    name: Property
    kind: Kind
    separator: str | None
    added: Property
    also: Property | None = None

    @property
    def properties(self) -> tuple[Property, ...]:
        return (self.name,) if self.also is None else (self.name, self.also)


SUBJECT: Final = KeywordList(Property(DC, "subject"), "Bag", None, Property(ONELOOK, "AddedSubject"))
HIERARCHICAL: Final = KeywordList(
    Property(LIGHTROOM, "hierarchicalSubject"), "Bag", "|", Property(ONELOOK, "AddedHierarchicalSubject")
)
TAGS_LIST: Final = KeywordList(Property(DIGIKAM, "TagsList"), "Seq", "/", Property(ONELOOK, "AddedTagsList"))
LAST_KEYWORD: Final = KeywordList(
    Property(MICROSOFT, "LastKeywordXMP"),
    "Bag",
    "/",
    Property(ONELOOK, "AddedLastKeywordXMP"),
    also=Property(MICROSOFT.removesuffix("/"), "LastKeywordXMP"),
)
LISTS: Final = (SUBJECT, HIERARCHICAL, TAGS_LIST, LAST_KEYWORD)
PATH_LISTS: Final = (HIERARCHICAL, TAGS_LIST, LAST_KEYWORD)

RESULTS: Final = Property(ONELOOK, "Results")
KEYWORDS: Final = Property(ONELOOK, "Keywords")
SIDECAR_FOR: Final = Property(PHOTOSHOP, "SidecarForExtension")
