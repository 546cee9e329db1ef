"""Starts Feast's feature server in this process, as `feast serve` does in a second one.

The plain command keeps a parent beside its worker, replaces the worker after a thousand requests, and reads a relative
registry from wherever it stands. Who answers a request is Feast's own application; requests that call this server by
another name than its own are refused, so that no web page of a stranger can reach it through a browser.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from airfoil.clients.feature_store.repository import open_repository
from airfoil.errors import AirfoilError

REGISTRY_SECONDS = 5
"""How long a change of the registry may go unseen."""
OWN_NAMES = ["localhost", "127.0.0.1"]
EXIT_CONFIGURATION = 78
"""As airfoil.stack.service says: a person has to decide something first."""


def application(repository: Path, host: str) -> Any:
    """Make Feast's application for a repository, for those who call it by its name."""
    from feast.feature_server import get_app
    from feast.permissions.server.utils import (
        ServerType,
        init_auth_manager,
        init_security_manager,
        str_to_auth_manager_type,
    )
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    store = open_repository(repository)
    kind = str_to_auth_manager_type(store.config.auth_config.type)
    init_security_manager(auth_type=kind, fs=store)
    init_auth_manager(auth_type=kind, server_type=ServerType.REST, auth_config=store.config.auth_config)
    made = get_app(store, REGISTRY_SECONDS)
    # Somebody who listens for others has given the server names that nobody here knows.
    names = OWN_NAMES if host in {*OWN_NAMES, "::1"} else ["*"]
    made.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    return made


def main() -> None:
    """Entry point: `--repository FOLDER --host H --port P`."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.feature_server", description=__doc__)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    try:
        made = application(options.repository, options.host)
    except AirfoilError as error:
        print(error.in_full, file=sys.stderr)
        raise SystemExit(EXIT_CONFIGURATION) from None
    import uvicorn

    uvicorn.run(made, host=options.host, port=options.port, access_log=False, timeout_graceful_shutdown=3)


if __name__ == "__main__":
    main()
