"""A JSON body as a dict, read as strictly as a form: what cannot be understood is refused, nothing is dropped."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from onelook.api.problem import bad_field

MOST_JSON_VALUES = 20_000


def read_json(body: bytes) -> dict[str, Any]:
    """The members of the JSON object in `body`.

    Raises:
        Problem: it is no JSON object, has too many values, or sets a field twice (422).
    """
    # A parsed value takes far more memory than its text, so values are counted first; base64 has no comma.
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_JSON_VALUES:
        raise bad_field("body", f"more than {MOST_JSON_VALUES} JSON values")
    try:
        read = json.loads(body.decode(), object_pairs_hook=_once_each, parse_constant=_no_number)
    except RecursionError:
        raise bad_field("body", "is nested too deeply") from None
    except ValueError as error:
        raise bad_field("body", f"is not JSON: {error}") from None
    if not isinstance(read, dict):
        raise bad_field("body", "is not a JSON object")
    return read


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Python's reader, like most, keeps the last of several members of one name; a form that does this is refused."""
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise bad_field(repeated, f"is set {names.count(repeated)} times; set it once")
    for name in members:
        name.encode()  # half a surrogate pair is a ValueError
    return members


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")
