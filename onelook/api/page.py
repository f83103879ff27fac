"""The web page, the API's documentation page, and the files that they load: all from this server."""

from __future__ import annotations

from http import HTTPStatus
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter
from starlette.exceptions import HTTPException as RoutingError
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB = Path(__file__).parent.parent / "web"


class PageFiles(StaticFiles):
    """The files of a folder. For one that lies there packed (`name.gz`) the packed bytes are sent; browsers unpack."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            return await super().get_response(path, scope)
        except RoutingError as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
        response = await super().get_response(f"{path}.gz", scope)
        response.headers["Content-Type"] = guess_type(path)[0] or "application/octet-stream"
        response.headers["Content-Encoding"] = "gzip"
        return response


static_files = PageFiles(directory=WEB, check_dir=False)
pages = APIRouter(include_in_schema=False)


@pages.get("/")
async def page() -> Response:
    return _html("index.html")


@pages.get("/docs")
async def documentation() -> Response:
    """Swagger UI on /openapi.json. FastAPI's own page loads it from another host."""
    return _html("docs.html")


def _html(name: str) -> Response:
    if not (WEB / name).is_file():
        raise RoutingError(HTTPStatus.NOT_FOUND)
    return FileResponse(WEB / name)
