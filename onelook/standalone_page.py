"""What pages share that are one HTML file each, load nothing, and run no script but their own."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

WEB: Final = files("onelook.web")
"""Has base.css, frame.css, gallery.css and standalone.js for these pages; the web page loads the first two as well."""


def joined(*parts: Traversable) -> str:
    """The text of files, one after another."""
    return "\n".join(part.read_text(encoding="utf-8") for part in parts)


def policy(style: str, script: str) -> str:
    """The content security policy of a page with this style and script: it allows them alone, by their hashes."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def without_tags(json: bytes) -> bytes:
    """The same JSON, in which no tag can begin or end."""
    return json.replace(b"<", b"\\u003c")


def _hash(text: str) -> str:
    """As a content security policy has it (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
