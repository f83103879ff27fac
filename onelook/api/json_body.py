"""A JSON body as a dict, read as strictly as a form: what cannot be understood is refused, nothing is dropped."""

from __future__ import annotations

from typing import Any

import jiter

from onelook.api.problem import bad_field

MOST_JSON_VALUES = 20_000


def read_json(body: bytes) -> dict[str, Any]:
    """The members of the JSON object in `body`.

    Most readers keep the last of several members of one name; here that is refused, as in a form.

    Raises:
        Problem: it is no JSON object, has too many values, or sets a field twice (422).
    """
    # A parsed value takes far more memory than its text, so values are counted first; base64 has no comma.
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_JSON_VALUES:
        raise bad_field("body", f"more than {MOST_JSON_VALUES} JSON values")
    try:
        read = jiter.from_json(body, catch_duplicate_keys=True, allow_inf_nan=False)
    except ValueError as error:
        raise bad_field("body", f"is not valid JSON: {error}") from None
    if not isinstance(read, dict):
        raise bad_field("body", "is not a JSON object")
    return read
