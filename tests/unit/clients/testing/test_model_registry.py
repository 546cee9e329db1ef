"""Registered models of the fake, held to what a real server does."""

from __future__ import annotations

import pytest
from tests.mlflow_behaviours import model_registry
from tests.mlflow_behaviours.talk import behaviours_of

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("behaviour", behaviours_of(model_registry), ids=lambda behaviour: behaviour.__name__)
def test_it_does_what_mlflow_does(talk, behaviour):
    behaviour(talk)
