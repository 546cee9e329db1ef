"""What Airfoil hears of Airflow's events. Listeners run inside the scheduler's loop: they note it down and return."""
