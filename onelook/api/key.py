"""The bearer key, where the settings ask for one."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from pydantic import SecretStr

from onelook.api.problem import Problem


def check_key(wanted: SecretStr | None, authorization: str | None) -> None:
    """Hold the request's Authorization header against the key, in a time that tells nothing of where they differ.

    Raises:
        Problem: no key came, or a wrong one (401).
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
        "no key, or a wrong one",
        kind="BadKey",
        hint="send the header Authorization: Bearer KEY",
        errors=[("Authorization", "must be Bearer and the server's key")],
        headers={"WWW-Authenticate": 'Bearer realm="onelook"'},
    )
