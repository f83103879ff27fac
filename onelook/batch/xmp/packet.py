"""An XMP packet as a tree of elements that know which bytes they are, so that the rest can stay as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from onelook.batch.xmp.encoding import decode, encode
from onelook.batch.xmp.names import RDF, Property
from onelook.errors import MetadataError

MAX_BYTES: Final = 64 * 2**20
"""Lightroom's masks make sidecars of a few MiB."""

MAX_DEPTH: Final = 200
"""Structures in structures; programs write less than ten."""

SPACE: Final = b" \t\r\n"
ATTRIBUTE: Final = re.compile(rb"""\s+([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*')""")
TAG_NAME: Final = re.compile(rb"<([^\s/>]+)")


@dataclass(frozen=True, slots=True)
class Attribute:
    """`start` to `end`: with the space before it."""

    value: str
    start: int
    end: int


@dataclass(slots=True)
class Element:
    """`start` to `end` is the whole element, `inside` to `close` its content.

    `empty`: written as `<name/>`; `inside` and `close` are its end then. `text`: its own, without its children's.
    """

    name: Property
    raw_name: str
    start: int
    inside: int
    attributes: dict[Property, Attribute]
    parent: Element | None
    close: int = 0
    end: int = 0
    empty: bool = False
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, *names: Property) -> Element | None:
        return next((each for each in self.children if each.name in names), None)

    @property
    def prefix(self) -> str:
        """As it is written before the element's name: `rdf:`, or nothing."""
        before, colon, _ = self.raw_name.rpartition(":")
        return before + colon


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the bytes from `start` to `end`."""

    start: int
    end: int
    by: str


@dataclass(frozen=True, slots=True)
class Packet:
    """`data` is UTF-8, whatever the file's encoding is; `rdf` is the element rdf:RDF in it."""

    data: bytes
    encoding: str
    rdf: Element

    @property
    def descriptions(self) -> list[Element]:
        return [each for each in self.rdf.children if each.name == DESCRIPTION]

    def space_before(self, start: int) -> int:
        """Where the white space before `start` begins."""
        while start and self.data[start - 1] in SPACE:
            start -= 1
        return start

    def spliced(self, splices: Iterable[Splice]) -> bytes:
        """The file with these changes, in its encoding."""
        parts, at = list[bytes](), 0
        for each in sorted(splices, key=lambda splice: (splice.start, splice.end)):
            if each.start < at:
                raise AssertionError("changes overlap")
            parts += (self.data[at : each.start], each.by.encode())
            at = each.end
        return encode(b"".join((*parts, self.data[at:])).decode(), self.encoding)


DESCRIPTION: Final = Property(RDF, "Description")
ROOT: Final = Property(RDF, "RDF")


def parse(data: bytes) -> Packet:
    """Read a packet: with or without the wrapper `<?xpacket?>` and the element x:xmpmeta.

    Raises:
        MetadataError: it is empty, too large, too deep or not well-formed, has no rdf:RDF, or has a document type:
            that could name other files or grow without bound.
    """
    if len(data) > MAX_BYTES:
        raise MetadataError(f"it has {len(data) / 2**20:.0f} MiB, more than the {MAX_BYTES // 2**20} that are read")
    if not data.strip(b"\0 \t\r\n"):
        raise MetadataError("it is empty", hint="remove it")
    text, encoding = decode(data)
    utf8 = text.encode()
    found = next((each for each in _elements(utf8) if each.name == ROOT), None)
    if found is None:
        raise MetadataError("it has no element rdf:RDF, so it is no XMP")
    return Packet(utf8, encoding, found)


def _elements(data: bytes) -> Iterator[Element]:
    """Each element, in the order of the document, when all are read."""
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.ordered_attributes = True
    parser.buffer_text = True
    every, open_ = list[Element](), list[Element]()

    def refuse(*_: object) -> None:
        raise MetadataError(
            "it has a document type (<!DOCTYPE …>), which XMP must not have and which could read other files",
            hint="remove the document type if you trust the file",
        )

    def start(name: str, attributes: list[str]) -> None:
        at = parser.CurrentByteIndex
        if len(open_) >= MAX_DEPTH:
            raise MetadataError(f"its elements are nested more than {MAX_DEPTH} deep")
        raw = TAG_NAME.match(data, at)
        if raw is None:
            raise AssertionError("a start tag is not where expat reports it")
        spans, after = _attributes(data, raw.end())
        values = dict(zip(attributes[::2], attributes[1::2], strict=True))
        element = Element(
            _name(name),
            raw[1].decode(),
            at,
            data.index(b">", after) + 1,
            {_name(each): Attribute(value, *span) for (each, value), span in zip(values.items(), spans, strict=True)},
            open_[-1] if open_ else None,
        )
        element.empty = data[element.inside - 2 : element.inside] == b"/>"
        if open_:
            open_[-1].children.append(element)
        every.append(element)
        open_.append(element)

    def end(_: str) -> None:
        element = open_.pop()
        element.close = element.inside if element.empty else parser.CurrentByteIndex
        element.end = element.inside if element.empty else data.index(b">", element.close) + 1

    def text(found: str) -> None:
        if open_:
            open_[-1].text += found

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise MetadataError(f"it is broken XML: {reason} (line {error.lineno}, column {error.offset + 1})") from None
    yield from every


def _attributes(data: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    """Where the attributes after `at` are that declare no namespace, and where the last attribute ends."""
    spans = list[tuple[int, int]]()
    while found := ATTRIBUTE.match(data, at):
        if found[1] != b"xmlns" and not found[1].startswith(b"xmlns:"):
            spans.append(found.span())
        at = found.end()
    return spans, at


def _name(name: str) -> Property:
    """As expat joins namespace and name."""
    namespace, _, local = name.rpartition(" ")
    return Property(namespace, local)
