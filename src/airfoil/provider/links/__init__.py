"""Buttons on a task instance that lead to where its work can be seen."""
