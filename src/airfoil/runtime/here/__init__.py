"""`airfoil run DAG --here`: one process in a person's terminal runs the tasks, another holds the database.

The process at the terminal (`session`) imports the DAG file and runs the tasks one after the other, with the database
blocked exactly as Airflow blocks it in a real task process. A helper process (`server`) does what scheduler and
Execution API do for real tasks, on a private copy of the metadata database (`database`): connections, variables and
earlier results are there, and nothing is written to the platform's own history. The two talk over a socket (`channel`).
"""
