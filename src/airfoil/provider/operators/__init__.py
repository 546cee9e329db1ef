"""Operators: what a task does with a model; each declares, and works in a few lines."""
