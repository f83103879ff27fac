"""The version of what a zero-shot image classifier is shown of each category, in place of a prompt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256


def zero_shot_version(texts: Mapping[str, str]) -> str:
    """First 12 hex digits of the SHA-256 of the texts and the categories that they describe, order included."""
    return sha256(json.dumps(list(texts.items())).encode()).hexdigest()[:12]
