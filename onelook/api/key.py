"""The check of the bearer key, if ONELOOK_HTTP__API_KEY is set."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from pydantic import SecretStr

from onelook.api.problem import Problem


def check_key(wanted: SecretStr | None, authorization: str | None) -> None:
    """Compare the request's Authorization header with the key in constant time.

    Raises:
        Problem: the key is missing or wrong (401).
    """
    if wanted is None:
        return
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode("latin-1", "replace"), wanted.get_secret_value().encode()
    ):
        return
    raise Problem(
        HTTPStatus.UNAUTHORIZED,
        "the API key is missing or wrong",
        kind="BadKey",
        hint="send the header Authorization: Bearer KEY",
        errors=[("Authorization", "must be `Bearer` and the server's key")],
        headers={"WWW-Authenticate": 'Bearer realm="onelook"'},
    )
