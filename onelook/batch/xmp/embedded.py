"""Keywords inside of a picture: through ExifTool where it is installed, else what Pillow finds.

Pillow reads XMP, IPTC and XPKeywords in JPEG, TIFF, PNG, WebP, AVIF and HEIF. It does not read raw files other than
TIFF-like ones, nor XMP that a JPEG spreads over several segments (over 64 KiB).
"""

from __future__ import annotations

import json
import warnings
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from PIL import Image, IptcImagePlugin
from PIL.ImageFile import ImageFile

from onelook.batch.xmp.exiftool import ExifTool, path_argument
from onelook.batch.xmp.names import LISTS, SUBJECT, KeywordList
from onelook.batch.xmp.packet import parse
from onelook.batch.xmp.theirs import joined, theirs
from onelook.errors import MetadataError

XP_KEYWORDS: Final = 0x9C9E
TIFF_XMP: Final = 700
IPTC_KEYWORDS: Final = (2, 25)

TAGS: Final[Mapping[str, KeywordList]] = {
    f"{group}:{name}": each
    for each, (group, name) in zip(
        LISTS,
        (
            ("XMP-dc", "Subject"),
            ("XMP-lr", "HierarchicalSubject"),
            ("XMP-digiKam", "TagsList"),
            ("XMP-microsoft", "LastKeywordXMP"),
        ),
        strict=True,
    )
}
"""As ExifTool calls the lists."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """`lists`: their keywords, IPTC's and XPKeywords among the flat ones. `extended`: the XMP is spread over segments.
    `read`: whether anything could look into the file."""

    lists: Mapping[KeywordList, list[str]] = field(default_factory=dict)
    extended: bool = False
    read: bool = True


def read_embedded(picture: Path, exiftool: ExifTool | None) -> Embedded:
    """Raises `MetadataError` where ExifTool ends on this picture."""
    return _by_pillow(picture) if exiftool is None else _by_exiftool(picture, exiftool)


def _by_exiftool(picture: Path, exiftool: ExifTool) -> Embedded:
    asked = ["-XMP", "-IPTC:Keywords", "-IFD0:XPKeywords", "-XMP-xmpNote:HasExtendedXMP", *(f"-{tag}" for tag in TAGS)]
    output, _ = exiftool.run("-j", "-b", "-G1", *asked, path_argument(picture))
    try:
        # Numbers stay texts: a keyword may be 007 or 1e5.
        (found,) = json.loads(output, parse_int=str, parse_float=str)
    except ValueError:
        return Embedded(read=False)
    flat = [*_texts(found.get("IPTC:Keywords")), *_split(found.get("IFD0:XPKeywords", ""))]
    packet = _packet(found)
    extended = "XMP-xmpNote:HasExtendedXMP" in found
    by_tag = {each: _texts(found.get(tag)) for tag, each in TAGS.items()}
    in_packet = None if packet is None or extended else _theirs(packet)
    return Embedded(joined(({SUBJECT: flat}, by_tag if in_packet is None else in_packet)), extended)


def _by_pillow(picture: Path) -> Embedded:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(picture) as image:
                packet, flat = _xmp(image), [*_iptc(image), *_xp_keywords(image)]
    except Exception:  # noqa: BLE001 - whatever a decoder raises on a foreign file: nothing can be read of it
        return Embedded(read=False)
    found = None if packet is None else _theirs(packet)
    return Embedded(joined(({SUBJECT: flat}, found or {})))


def _theirs(packet: bytes) -> dict[KeywordList, list[str]] | None:
    """None where the packet is broken: the sidecar is written all the same."""
    try:
        return theirs(parse(packet))
    except MetadataError:
        return None


def _packet(found: Mapping[str, Any]) -> bytes | None:
    text = next((value for name, value in found.items() if name.rpartition(":")[2] == "XMP"), None)
    if not isinstance(text, str):
        return None
    return b64decode(text.removeprefix("base64:")) if text.startswith("base64:") else text.encode(errors="replace")


def _texts(value: object) -> list[str]:
    """ExifTool writes one value alone, and several as a list; a keyword `true` as a boolean."""
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in values]


def _split(keywords: object) -> list[str]:
    """XPKeywords, as Windows writes them."""
    return [each for part in str(keywords).split(";") if (each := part.strip().strip("\0"))]


def _xmp(image: Image.Image) -> bytes | None:
    tiff = getattr(image, "tag_v2", {}).get(TIFF_XMP)
    found = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or tiff
    if isinstance(found, str):
        return found.encode()
    return bytes(found).rstrip(b"\0") if found else None


def _iptc(image: Image.Image) -> Iterator[str]:
    found = IptcImagePlugin.getiptcinfo(image) or {} if isinstance(image, ImageFile) else {}
    values = found.get(IPTC_KEYWORDS, [])
    for each in values if isinstance(values, list) else [values]:
        try:
            yield each.decode()
        except UnicodeDecodeError:
            yield each.decode("cp1252", errors="replace")


def _xp_keywords(image: Image.Image) -> list[str]:
    found = image.getexif().get(XP_KEYWORDS)
    if isinstance(found, tuple):
        found = bytes(found)
    return _split(found.decode("utf-16-le", errors="ignore")) if isinstance(found, bytes) else []
