from __future__ import annotations

from types import SimpleNamespace

import pytest

from airfoil.clients.feature_store import writers

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"type": "redis", "redis_type": SimpleNamespace(value="redis")}, "redis"),
        ({"type": "redis", "redis_type": SimpleNamespace(value="redis_cluster")}, "it is a Redis cluster"),
        ({"type": "sqlite"}, "sqlite"),
        ({"type": "feast.infra.online_stores.sqlite.SqliteOnlineStore"}, "sqlite"),
        ({"type": "postgres", "vector_enabled": False}, "postgres"),
        (
            {"type": "postgres", "vector_enabled": True},
            "the store keeps vectors or numbers beside the values",
        ),
        (
            {"type": "sqlite", "enable_openai_compatible_store": True},
            "the store keeps vectors or numbers beside the values",
        ),
        ({"type": "dynamodb"}, "the online store is dynamodb"),
    ],
)
def test_a_store_is_ours_or_there_is_a_reason(settings, kind):
    assert writers._kind(SimpleNamespace(**settings)) == kind
