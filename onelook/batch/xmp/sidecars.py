"""Which sidecar belongs to which picture: `photo.jpg.xmp`, or `photo.xmp`, which pictures of one stem share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from onelook.batch.xmp.labels import FORBIDDEN, REPLACEMENT
from onelook.images.printable import printable

SidecarName = Literal["photo.jpg.xmp", "photo.xmp"]

RAW: Final = frozenset(
    [
        ".3fr",
        ".ari",
        ".arw",
        ".bay",
        ".cap",
        ".cr2",
        ".cr3",
        ".crw",
        ".dcr",
        ".dcs",
        ".erf",
        ".fff",
        ".gpr",
        ".iiq",
        ".k25",
        ".kdc",
        ".mdc",
        ".mef",
        ".mos",
        ".mrw",
        ".nef",
        ".nrw",
        ".orf",
        ".pef",
        ".ptx",
        ".pxn",
        ".r3d",
        ".raf",
        ".raw",
        ".rw2",
        ".rwl",
        ".rwz",
        ".sr2",
        ".srf",
        ".srw",
        ".x3f",
    ]
)
"""Proprietary raw formats. DNG is none: Adobe's programs write XMP into it."""


@dataclass(frozen=True, slots=True)
class Sidecar:
    """`path`: the file to write. `other`: one of the other name that is there too, whose keywords count as theirs.
    `unasked`: nobody chose a name, and `path` is not the usual one, because this file was there."""

    path: Path
    other: Path | None = None
    unasked: bool = False

    def keeps(self, picture: Path) -> Callable[[str], bool]:
        """Whether what we know of another picture stays in this sidecar: only where they share it, and it is there."""
        stem = self.path.name[: -len(self.path.suffix)]
        shared = stem == picture.stem and stem != picture.name

        def keep(name: str) -> bool:
            return shared and Path(name).name == name and Path(name).stem == stem and (picture.parent / name).is_file()

        return keep


def sidecar_of(picture: Path, wanted: SidecarName | None = None) -> Sidecar:
    """Where the tags of `picture` belong.

    `wanted`: None is `photo.jpg.xmp`, unless only `photo.xmp` is there: a program that reads either (Immich) would no
    longer see the rest of that one.
    """
    full = _existing(picture.with_name(f"{picture.name}.xmp"))
    short = _existing(picture.with_suffix(".xmp"))
    if full == short:
        return Sidecar(full)
    chosen, other = (short, full) if wanted == "photo.xmp" else (full, short)
    if wanted is None and short.exists() and not full.exists():
        return Sidecar(short, unasked=True)
    return Sidecar(chosen, other if other.exists() else None)


def is_raw(picture: Path) -> bool:
    return picture.suffix.lower() in RAW


def recorded_name(picture: Path) -> str:
    """The name under which our record has a picture: without spaces at its ends, which RDF does not keep, and with its
    control characters and bytes that are no UTF-8 escaped, and U+FFFD for what XML cannot hold."""
    return FORBIDDEN.sub(REPLACEMENT, printable(picture.name)).strip()


def _existing(path: Path) -> Path:
    """`path`, or what is there with an ending in capitals, as digiKam once wrote it."""
    capitals = path.with_suffix(path.suffix.upper())
    return capitals if not path.exists() and capitals.exists() else path
