"""Sidecars as photo programs write them, and two readers that are not ours: ExifTool and lxml."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from PIL import Image

from onelook.batch.xmp.keywords import KeywordChoices, PictureTags, picture_tags
from onelook.batch.xmp.merge import Wish, merge
from onelook.batch.xmp.names import LISTS, KeywordList
from onelook.batch.xmp.write import Outcome, WriteChoices, Writer
from onelook.result import TagResult
from onelook.types import Tag
from tests.batch.ledgers import TAXONOMY, answer

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is not installed")

CAT = answer("animal", species={"cat": 0.98}, count={"one": 0.5})
DOG = answer("animal", species={"dog": 0.97})

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
    xmlns:darktable="http://darktable.sf.net/"
   darktable:xmp_version="5"
   darktable:history_end='7'>
   <dc:subject>
    <rdf:Bag>
     <rdf:li>2024</rdf:li>
     <rdf:li>trip</rdf:li>
    </rdf:Bag>
   </dc:subject>
   <lr:hierarchicalSubject>
    <rdf:Seq>
     <rdf:li>trip|2024</rdf:li>
    </rdf:Seq>
   </lr:hierarchicalSubject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
LIGHTROOM = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.0">\r\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\r\n'
    '  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/>\r\n'
    '  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">\r\n'
    "   <dc:subject><rdf:Bag><rdf:li>R&amp;D &lt;lab&gt;</rdf:li><rdf:li>Rome</rdf:li></rdf:Bag></dc:subject>\r\n"
    '   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Lab</rdf:li></rdf:Alt></dc:title>\r\n'
    "  </rdf:Description>\r\n"
    " </rdf:RDF>\r\n"
    "</x:xmpmeta>"
)
ONE_LINE = (
    f'<r:RDF xmlns:r="{RDF}"><r:Description r:about="" xmlns:d="http://www.digikam.org/ns/1.0/">'
    "<!-- mine --><d:TagsList><r:Seq><r:li>People/Ann</r:li></r:Seq></d:TagsList></r:Description></r:RDF>"
)
STRANGE_PREFIXES = (
    f'<dc:RDF xmlns:dc="{RDF}" xmlns:rdf="http://example.org/" xmlns:onelook="http://example.org/2"'
    ' xmlns:lr="http://purl.org/dc/elements/1.1/">\n'
    ' <dc:Description dc:about=""><lr:subject><dc:Bag><dc:li>mine</dc:li></dc:Bag></lr:subject>'
    "<rdf:subject>no keyword</rdf:subject></dc:Description>\n"
    "</dc:RDF>\n"
)
NO_PREFIX = (
    f'<RDF xmlns="{RDF}"><Description about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<dc:subject><Bag><li>mine</li></Bag></dc:subject></Description></RDF>"
)
FOREIGN: Mapping[str, str] = {
    "darktable": DARKTABLE,
    "Lightroom": LIGHTROOM,
    "one line": ONE_LINE,
    "strange prefixes": STRANGE_PREFIXES,
    "no prefix": NO_PREFIX,
}
"""Their keywords are in lists, so that ours can be taken out again byte for byte."""


def tags_of(result: TagResult, picture: str = "photo.jpg", **choices: Any) -> PictureTags | None:
    return picture_tags(picture, result, TAXONOMY, KeywordChoices(**choices))


def labelled(*labels: str) -> TagResult:
    """A category of this label, and options of the others; the taxonomy knows none of them."""
    made = answer("animal")
    options = tuple(Tag(id=f"o{number}", label=each, confidence=0.9) for number, each in enumerate(labels[1:]))
    return made.model_copy(
        update={"category": Tag(id="new", label=labels[0], confidence=0.9), "details": {"kind": options}}
    )


def merged(
    data: bytes | None, tags: PictureTags | None, elsewhere: Mapping[KeywordList, list[str]] | None = None
) -> bytes | None:
    return merge(data, Wish("photo.jpg", tags, elsewhere or {}))


def picture(path: Path, *arguments: str) -> Path:
    """A small picture, with metadata as ExifTool's arguments name it."""
    Image.new("RGB", (8, 8)).save(path, "JPEG")
    if arguments:
        subprocess.run(["exiftool", "-q", "-overwrite_original", *arguments, path], check=True)
    return path


def write(path: Path, result: TagResult = CAT, *, languages: Iterable[str] = (), **choices: Any) -> Outcome:
    keywords = KeywordChoices(languages=tuple(languages))
    with Writer(TAXONOMY, WriteChoices(keywords=keywords, **choices)) as writer:
        (outcome,) = writer.write(path, result)
    return outcome


def shown(file: Path) -> dict[str, Any]:
    """ExifTool's view: `XMP-dc:Subject` and so on; lists as lists, texts as they are."""
    command = ["exiftool", "-j", "-G1", "-struct", str(file)]
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    (found,) = json.loads(printed, parse_int=str, parse_float=str)
    return {
        name: [_text(each) for each in value] if isinstance(value, list) else value for name, value in found.items()
    }


def _text(value: Any) -> Any:
    """ExifTool writes the keyword `true` as a boolean."""
    return str(value).lower() if isinstance(value, bool) else value


def lists_of(data: bytes) -> dict[KeywordList, list[str]]:
    """What lxml finds in each list, in every form that a list can have."""
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False))
    found: dict[KeywordList, list[str]] = {}
    for each in LISTS:
        values = found[each] = []
        for one in each.properties:
            name = f"{{{one.namespace}}}{one.name}"
            for description in root.iter(f"{{{RDF}}}Description"):
                if name in description.attrib:
                    values.append(str(description.attrib[name]))
                for element in description.findall(name):
                    items = [*element.iter(f"{{{RDF}}}li")]
                    values += ["".join(map(str, item.itertext())) for item in items or [element]]
    return {each: [text for value in values if (text := value.strip())] for each, values in found.items()}
