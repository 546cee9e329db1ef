"""What an Airflow user installs: hooks now; operators, decorators, sensors, triggers and listeners later.

This room reads Airflow's own connections, variables and configuration, and never airfoil.toml: it works in any
Airflow 3.3 without the rest of Airfoil. Hooks build clients; foreign libraries stay behind those clients.
"""
