"""The tables that ship are served with their version, and not sent twice."""

from __future__ import annotations

import asyncio
import csv
import io

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from airfoil.stack.page.samples import Samples

pytestmark = pytest.mark.unit


def ask(path, **headers):
    app, sent = Starlette(routes=[Route("/samples/{name}", Samples().table)]), []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b""}

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(app(scope, receive, send))
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


def test_iris_is_a_table_of_three_kinds():
    code, headers, body = ask("/samples/iris.csv")
    assert (code, headers["content-type"].partition(";")[0]) == (200, "text/csv")
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert len(rows) == 150
    assert {row["species"] for row in rows} == {"setosa", "versicolor", "virginica"}


def test_who_has_it_gets_no_second_copy():
    _, headers, _ = ask("/samples/iris.csv")
    for known in (headers["etag"], f"W/{headers['etag']}", f'"old", {headers["etag"]}', "*"):
        assert ask("/samples/iris.csv", if_none_match=known)[::2] == (304, b"")
    assert ask("/samples/iris.csv", if_none_match='"old"')[0] == 200


@pytest.mark.parametrize("path", ["/samples/wine.csv", "/samples/..%2Fapp.py", "/samples/iris.py"])
def test_nothing_else_is_served(path):
    assert ask(path)[0] == 404
