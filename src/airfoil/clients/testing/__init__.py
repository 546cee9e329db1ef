"""Fakes that ship: what a user's unit tests, and ours, use in place of an MLflow server and of what tasks are given.

They need no server, no Airflow and no file outside a test's own folder. Must not be imported by anything but tests.
"""

from airfoil.clients.testing.fake_mlflow import FakeMlflow
from airfoil.clients.testing.fake_run import FakeMlflowRun, fake_mlflow_run
from airfoil.clients.testing.fake_work import FakeWork, fake_work

__all__ = ["FakeMlflow", "FakeMlflowRun", "FakeWork", "fake_mlflow_run", "fake_work"]
