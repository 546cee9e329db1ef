"""Airflow's Execution API inside the helper: its routes as they are, in the version this very release speaks.

Airflow's own in-process application builds every older version of every route when it is first asked, which costs
three seconds that a person waits. Caller and API are one release here, so the newest version is enough. What is private
to the release is in this module; when it is not there, Airflow's own application serves.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

OTHER_FRAMEWORKS = ("aiohttp", "flask", "pyramid")


def import_svcs() -> None:
    """Import the service registry without the frameworks it also serves where they are installed: they take time."""
    absent: dict[str, Any] = {name: None for name in OTHER_FRAMEWORKS if name not in sys.modules}
    # None in this table makes an import fail as if the library were not there, which the registry expects.
    sys.modules.update(absent)
    try:
        importlib.import_module("svcs")
    finally:
        for name in absent:
            sys.modules.pop(name, None)


def build_transport() -> httpx.BaseTransport:
    """Give a transport that answers what tasks ask."""
    try:
        import_svcs()
        app = newest_version()
        from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI

        transport: httpx.BaseTransport = InProcessExecutionAPI(app=app).transport
    except (ImportError, AttributeError, TypeError) as error:
        print(f"the Execution API is built with all its versions: {error}", file=sys.stderr)
        return whole_api()
    return transport


def newest_version() -> Any:
    """Build the application of the newest version alone; nobody has to prove here who they are."""
    import attrs
    import svcs
    from airflow.api_fastapi.auth.tokens import JWTValidator
    from airflow.api_fastapi.common.dagbag import dag_bag_from_app
    from airflow.api_fastapi.common.exceptions import init_error_handlers
    from airflow.api_fastapi.execution_api.app import lifespan
    from airflow.api_fastapi.execution_api.datamodels.token import TIClaims, TIToken
    from airflow.api_fastapi.execution_api.routes import execution_api_router
    from airflow.api_fastapi.execution_api.routes.connections import has_connection_access
    from airflow.api_fastapi.execution_api.routes.variables import has_variable_access
    from airflow.api_fastapi.execution_api.routes.xcoms import has_xcom_access
    from airflow.api_fastapi.execution_api.security import _jwt_bearer
    from airflow.models.dagbag import DBDagBag
    from fastapi import FastAPI, Request

    registry = svcs.Registry()
    registry.register_value(JWTValidator, None)
    app = FastAPI(lifespan=attrs.evolve(lifespan, registry=registry))
    app.include_router(execution_api_router)
    init_error_handlers(app)

    async def always(request: Request) -> Any:
        from uuid import UUID

        nobody = "00000000-0000-0000-0000-000000000000"
        number = UUID(request.path_params.get("task_instance_id", nobody))
        return TIToken(id=number, claims=TIClaims(scope="execution"))

    always.__annotations__["request"] = Request
    for guard in (_jwt_bearer, has_connection_access, has_variable_access, has_xcom_access):
        app.dependency_overrides[guard] = always
    bag = DBDagBag()
    app.state.dag_bag = bag
    app.dependency_overrides[dag_bag_from_app] = lambda: bag
    return app


def whole_api() -> httpx.BaseTransport:
    """Use Airflow's own application."""
    from airflow.api_fastapi.common.dagbag import dag_bag_from_app
    from airflow.api_fastapi.execution_api.app import InProcessExecutionAPI
    from airflow.models.dagbag import DBDagBag

    api = InProcessExecutionAPI()
    bag = DBDagBag()
    api.app.dependency_overrides[dag_bag_from_app] = lambda: bag
    transport: httpx.BaseTransport = api.transport
    return transport
