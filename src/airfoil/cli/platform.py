"""`airfoil up`, `down` and `status`."""

import time
from typing import Annotated, Any

import typer

from airfoil.cli import console, report
from airfoil.cli.context import Invocation
from airfoil.errors import AirfoilError, ConfigurationError
from airfoil.stack.project import Project
from airfoil.stack.state import StackState
