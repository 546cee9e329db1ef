"""Pages inside Airflow's UI: what the registry holds and who moved which alias when. They read and change nothing."""
