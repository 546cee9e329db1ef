"""Notifiers: what Airflow calls when something happened that people should hear of."""
