"""Reading a request's body as it arrives, within limits on its type, size and time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from onelook.api.admission import Reservation
from onelook.api.problem import Problem
from onelook.settings.http import HttpSettings

SLOWEST_BYTES_PER_S = 65536


def media_type(request: Request, *known: str) -> str:
    """The body's media type, one of `known`.

    Raises:
        Problem: another type, or a compressed body, whose uncompressed size is not known in advance (415).
    """
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.lower() != "identity":
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Encoding: {encoding} is not supported",
            kind="BadContentType",
            hint="send the body without Content-Encoding: pictures are compressed already",
            errors=[("Content-Encoding", "must be identity")],
        )
    given = request.headers.get("Content-Type", "")
    media = given.partition(";")[0].strip().lower()
    if media not in known:
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"Content-Type: {given[:100] or 'none'} is not supported by this route",
            kind="BadContentType",
            hint=f"send {' or '.join(known)}",
            errors=[("Content-Type", f"must be {' or '.join(known)}")],
        )
    return media


async def read_body(
    request: Request, settings: HttpSettings, reservation: Reservation, take: Callable[[bytes], object]
) -> None:
    """Pass the body to `take`, piece by piece. An exception from `take` ends the reading.

    Raises:
        Problem: it is too large (413), arrives too slowly (408), or no memory is left for it (429).
        ClientDisconnect: the client disconnected.
    """
    limit = int(settings.max_body_mb * 1e6)
    announced = request.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(settings)
    received, limit_at = 0, asyncio.get_running_loop().time() + settings.body_timeout_s
    timer = asyncio.timeout_at(limit_at)
    try:
        async with timer:
            more = True
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                more = message.get("more_body", False)
                if piece := message.get("body", b""):
                    received += len(piece)
                    if received > limit:
                        raise _too_large(settings)
                    reservation.hold(len(piece))
                    timer.reschedule(limit_at + received / SLOWEST_BYTES_PER_S)
                    take(piece)
    except TimeoutError:
        if not timer.expired():
            raise
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT,
            f"the body arrives too slowly: {received} bytes so far",
            kind="SlowBody",
            hint=f"send it within {settings.body_timeout_s:g} s (the server's ONELOOK_HTTP__BODY_TIMEOUT_S),"
            f" or at {SLOWEST_BYTES_PER_S // 1024} KiB a second",
            errors=[("body", "arrives too slowly")],
            headers={"Connection": "close"},
        ) from None


def _too_large(settings: HttpSettings) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {settings.max_body_mb:g} MB",
        kind="BodyTooLarge",
        hint="send smaller pictures, or fewer at once; the server's ONELOOK_HTTP__MAX_BODY_MB sets the limit",
        errors=[("body", f"is larger than {settings.max_body_mb:g} MB")],
    )
