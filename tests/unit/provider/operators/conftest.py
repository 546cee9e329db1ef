"""Fixtures of tasks that work with the registry."""

from tests.unit.provider.registry_tasks import context, registry, run

__all__ = ["context", "registry", "run"]
