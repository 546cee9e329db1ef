"""The status page on port 8081: what runs, what it takes, what is wrong and what to do about it.

    sources  -> facts + state      read state.json, ask Airflow and MLflow, measure memory (the only part with I/O)
    diagnosis, status              pure: what is wrong, and the one value that everything below shows
    document                       the same value as HTML; metrics as Prometheus text; app as JSON and events
    app, guard, server             routes, who may ask, and the process

It only reads: it must not start, stop or change anything, and it asks its neighbours nothing while nobody watches.
"""
