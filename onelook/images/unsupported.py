"""Tells what is valid but not supported from what is broken, and puts a decoder's exception into plain words."""

from __future__ import annotations

import re

# What decoders say of a valid file that they do not read, and what it has that they do not.
REFUSALS = (
    (re.compile(r"cannot handle (\d+)-bit layers"), r"\1 bits a channel"),  # JPEG
    (re.compile(r"cannot handle (\d+)-layer images"), r"\1 channels"),
    (re.compile(r"Unsupported BMP (.+)"), r"an unusual \1"),
    (
        re.compile(r"[Uu]nsupported codec|No codec available|not identified by this driver"),
        "a compression that the installed decoder does not know",
    ),
)
# How a JPEG is coded, by its frame marker, where libjpeg-turbo 3 does not read it. It reads arithmetic coding.
JPEG_CODINGS = {
    **dict.fromkeys((0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF), "hierarchical coding"),
    0xCB: "lossless arithmetic coding",
}
LOSSLESS_JPEG = 0xC3
"""Read with some colours only: refused where it fails."""

NO_CODEC = "support not installed"  # Pillow's words where it is built without a codec
ENDS_EARLY = re.compile(r"truncated|end of file|no more images|unpack_from requires|too small|cannot read full", re.I)
NOT_FOR_PEOPLE = re.compile(r"decoder error -|object at 0x|\[Errno|b'|b\"")


class NotSupported(Exception):
    """A valid file has something that is not supported. `what` follows "a TIFF file with"."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def refused(error: Exception) -> str | None:
    """What a valid file has that is not supported; None if the decoder found it broken."""
    if isinstance(error, NotSupported):
        return error.what
    for words, meaning in REFUSALS:
        if found := words.search(str(error)):
            return found.expand(meaning)
    return None


def in_plain_words(error: Exception) -> str:
    """Why a file cannot be decoded. Pillow's own sentences stay; what Python or a C library raised does not."""
    text = str(error)
    if ENDS_EARLY.search(text):
        return "it ends too early"
    ours = isinstance(error, OSError | SyntaxError) and error.args and isinstance(error.args[0], str)
    if ours and text and not NOT_FOR_PEOPLE.search(text):
        return text
    return "its decoder fails on the values in it"
