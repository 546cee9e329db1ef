"""Checks a project's DAG files: rules over their text, ruff, and a parse in a process of its own.

Works with and without a running platform, and imports none of the user's code here.
"""
