"""The pages and receivers that Airfoil adds to Airflow's API server, as one app below /airfoil.

Built when the first request comes: every Airflow process loads the plugin, one of them serves. Must not know what a
page shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from fastapi import FastAPI

PREFIX = "/airfoil"
EXTERNAL_VIEWS = [
    {
        "name": "Models",
        "href": "airfoil/models",  # below whatever path Airflow itself is served
        "destination": "nav",
        "url_route": "airfoil-models",
        "category": "browse",
    }
]


def make_app() -> FastAPI:
    """Return the app."""
    from fastapi import FastAPI

    from airfoil.provider import receiver
    from airfoil.provider.views import door, metrics, pages

    app = FastAPI(title="Airfoil", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(receiver.routes())
    app.include_router(pages.routes())
    app.include_router(metrics.routes())
    app.include_router(door.routes())
    return app


class LazyApp:
    """Stands for an app until somebody asks it something."""

    def __init__(self, make: Callable[[], FastAPI] = make_app) -> None:
        """Take what makes the app."""
        self._make = make
        self._app: FastAPI | None = None

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Hand a request on."""
        if self._app is None:
            self._app = self._make()
        await self._app(scope, receive, send)
