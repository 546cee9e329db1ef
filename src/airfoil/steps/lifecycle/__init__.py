"""The steps of a model's whole life, from rows that were fetched to a model that is watched.

Tables and parameters in, tables, estimators and records out. Must not fetch, store, log or decide what is good enough.
"""
