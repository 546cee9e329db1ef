"""Moving in from a folder `mlruns`, MLflow's file store of old: read as files, written over MLflow's own API.

MLflow itself does not open such folders any more unless it is made to. Nothing in the folder is changed.
"""
