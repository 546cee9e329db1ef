"""Sensors: tasks that wait for a model."""
