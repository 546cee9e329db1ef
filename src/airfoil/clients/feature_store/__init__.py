"""Feast, made to stream: a batch engine for feature_store.yaml, and a feature store that tasks can ask.

`engine` is what Feast loads, `store` what operators call. Both write the very bytes that Feast's own reader expects:
`cells`, `values` and `entity_keys` make them for whole columns at once, one writer for each kind of online store sends
them, and `latest_rows` reads the newest row of each entity from Parquet in bounded memory. Feast is imported inside
functions, since it takes seconds.
"""
