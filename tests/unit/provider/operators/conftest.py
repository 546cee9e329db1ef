"""Fixtures of tasks that work with the registry of models, and of those that work with a feature store."""

from tests.unit.provider.feature_tasks import execute, features
from tests.unit.provider.registry_tasks import context, registry, run

__all__ = ["context", "execute", "features", "registry", "run"]
