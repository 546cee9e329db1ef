"""Small tables that ship with the platform, served like those of any web server: with a version, to be asked for again.

The shipped `ml_pipeline` crawls one of them until it is told of a source of yours. Must not change while it is served.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER = Path(__file__).parent / "static" / "samples"
MEDIA_TYPES = {".csv": "text/csv"}


class Samples:
    """The tables, and which version each of them is."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._tables = {
            path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in MEDIA_TYPES
        }

    async def table(self, request: Request) -> Response:
        """Give one of the tables, or say that the caller has it already."""
        name = request.path_params["name"]
        content = self._tables.get(name)
        if content is None:
            return PlainTextResponse("Not found.\n", 404)
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        known = {
            one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")
        }
        if known & {etag, "*"}:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)
