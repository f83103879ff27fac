"""What routes need before they run: the application's state, the caller's key, and a place among the requests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer

from onelook.api.admission import Reservation
from onelook.api.key import check_key
from onelook.api.state import AppState

bearer = HTTPBearer(auto_error=False, description="Required if ONELOOK_HTTP__API_KEY is set on the server.")


def state_of(request: Request) -> AppState:
    state: AppState = request.app.state.onelook
    return state


async def require_key(request: Request, _: Annotated[object, Security(bearer)]) -> None:
    check_key(state_of(request).http.api_key, request.headers.get("Authorization"))


async def admit(request: Request) -> AsyncIterator[Reservation]:
    """Reserved before the body is read, released after the response has been sent."""
    with state_of(request).admission.reserve() as reservation:
        yield reservation


Admitted = Annotated[Reservation, Depends(admit)]
