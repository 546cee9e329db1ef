"""Pure steps: data and parameters in, records out.

Nothing here knows Airflow, a server, a file or a process, so every step runs and is tested as a plain function.
Now: training and its charts. Quality, drift, evaluation, gates and the rest arrive with their issues.
"""
