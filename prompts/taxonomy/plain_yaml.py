"""Reads the plain part of YAML 1.2 fast: what nearly every taxonomy without mistakes is written in.

The document is built from the events of libyaml's parser, which knows no types. Where YAML 1.1, YAML 1.2 or two
libraries could differ, and where a mistake is possible, this reader gives up; the thorough one then reads the text.
"""

from __future__ import annotations

import re

import yaml
from yaml.events import (
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

# A tab may or may not indent, the others are line breaks in YAML 1.1 only, and how often a document may end is open.
DISPUTED = re.compile("[\t\x85\u2028\u2029]|^\\.\\.\\.", re.MULTILINE)
BOOLEANS = {**dict.fromkeys(("true", "True", "TRUE"), True), **dict.fromkeys(("false", "False", "FALSE"), False)}
# Numbers, dates, null, and the keys << and = that YAML gives a meaning, in either version of YAML.
TYPED = re.compile(r"[-+.]*[0-9_][-+.0-9a-fox_:tz ]*|[-+]?\.(?:inf|nan)|~|null|<<|=|", re.IGNORECASE)
DEEPEST = 12


class NotPlain(Exception):
    """The text needs the thorough reader."""


def read_plain(text: str) -> object:
    """The document in `text`: strings, booleans, lists and mappings without a key that comes twice.

    Raises:
        NotPlain: it holds anything else, or is not YAML.
    """
    if DISPUTED.search(text):
        raise NotPlain
    # Without libyaml the package has no C loader, and its own parser is as slow as the thorough reader's.
    parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        parser.get_event()  # the stream starts
        start = parser.get_event()
        if not isinstance(start, DocumentStartEvent) or start.version or start.tags:
            raise NotPlain
        document = _value(parser, parser.get_event(), DEEPEST)
        parser.get_event()  # the document ends
        if not isinstance(parser.get_event(), StreamEndEvent):
            raise NotPlain
    except yaml.YAMLError:
        raise NotPlain from None
    finally:
        parser.dispose()
    return document


def _value(parser: yaml.SafeLoader, event: Event, depth: int) -> object:
    if isinstance(event, ScalarEvent):
        return _scalar(event)
    if not isinstance(event, MappingStartEvent | SequenceStartEvent) or event.anchor or event.tag or not depth:
        raise NotPlain
    if isinstance(event, SequenceStartEvent):
        items = []
        while not isinstance(event := parser.get_event(), SequenceEndEvent):
            items.append(_value(parser, event, depth - 1))
        return items
    mapping: dict[str, object] = {}
    while not isinstance(event := parser.get_event(), MappingEndEvent):
        key = _scalar(event)
        if not isinstance(key, str) or key in mapping:
            raise NotPlain
        mapping[key] = _value(parser, parser.get_event(), depth - 1)
    return mapping


def _scalar(event: Event) -> str | bool:
    if not isinstance(event, ScalarEvent) or event.anchor or event.tag:
        raise NotPlain
    text: str = event.value
    if event.style in ("'", '"'):
        return text
    if event.style in ("|", ">"):  # where a comment ends and a block begins is disputed
        raise NotPlain
    if text in BOOLEANS:
        return BOOLEANS[text]
    if TYPED.fullmatch(text):
        raise NotPlain
    return text
