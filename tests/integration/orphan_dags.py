"""DAG files whose tasks leave MLflow runs open in every way there is, and two that people wrote for a plain MLflow.

Texts, because each test home gets its own copies.
"""

from __future__ import annotations

HEAD = """
import os, pathlib, signal, time
from datetime import datetime, timedelta
from airflow.sdk import dag, get_current_context, task
HERE = pathlib.Path(__file__).parent

def open_child():
    from airfoil.clients.run_keys import RunKey
    from airfoil.clients.runs import Attempt, Runs
    from airfoil.provider.hooks.mlflow import MlflowHook
    ti = get_current_context()["ti"]
    key = RunKey(ti.dag_id, ti.run_id, ti.task_id, ti.map_index)
    with MlflowHook().http() as http:
        runs = Runs()
        parent = http.do(runs.parent(key, experiment=ti.dag_id, tags={}))
        return http.do(runs.child(key, parent, fingerprint="", tags={}, attempt=Attempt(ti.try_number)))

def wait_for(name):
    while not (HERE / name).exists():
        time.sleep(0.05)

def note(name):
    (HERE / name).write_text(str(os.getpid()))
"""

DYING = (
    HEAD
    + """
@dag(schedule=None)
def dying():
    @task
    def killed():
        open_child()
        os.kill(os.getpid(), signal.SIGKILL)

    @task
    def forgetful():
        open_child()

    @task
    def plain():
        import mlflow
        mlflow.start_run()
        mlflow.log_param("left", "open")

    killed()
    forgetful()
    plain()

dying()
"""
)

PLAIN = (
    HEAD
    + """
@dag(schedule=None)
def plain():
    @task(retries=1, retry_delay=timedelta(seconds=1))
    def train(number):
        import mlflow
        mlflow.set_experiment("plain ones")
        with mlflow.start_run():
            mlflow.log_param("number", number)
            if get_current_context()["ti"].try_number == 1 and number == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            with mlflow.start_run(nested=True):
                mlflow.log_metric("inner", 1)

    train.expand(number=[0, 1])

plain()
"""
)

WAITING = (
    HEAD
    + """
@dag(schedule=None)
def waiting():
    @task
    def hold():
        open_child()
        note("held")
        wait_for("go")
        raise SystemExit("as told")

    hold()

waiting()
"""
)

# A project's own guide, changed in imports and schedule only.
TRADING = """
from datetime import datetime
from airflow.sdk import DAG
from airflow.providers.standard.operators.python import PythonOperator
import mlflow

def train_model():
    mlflow.set_experiment("trading_models")
    with mlflow.start_run():
        # Your model training code
        mlflow.log_param("strategy", "momentum")
        mlflow.log_metric("sharpe_ratio", 1.8)

with DAG(
    'trading_strategy_train',
    start_date=datetime(2024, 1, 1),
    schedule='@daily',
    catchup=False,
) as dag:

    PythonOperator(
        task_id='train',
        python_callable=train_model,
    )
"""

# Likewise; what it takes for granted (a chart, a model, a folder to stand in) is made around it.
LOGGING = """
import os, tempfile
from airflow.sdk import DAG
from airflow.providers.standard.operators.python import PythonOperator

def log_everything():
    from matplotlib.figure import Figure
    from sklearn.linear_model import LogisticRegression
    os.chdir(tempfile.mkdtemp())
    figure = Figure()
    figure.subplots().plot([1, 3, 2])
    figure.savefig("chart.png")
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])

    import mlflow

    # Set tracking URI (automatically set via environment)
    mlflow.set_experiment("my_experiment")

    with mlflow.start_run():
        # Log parameters
        mlflow.log_param("symbol", "AAPL")

        # Log metrics
        mlflow.log_metric("profit", 123.45)

        # Log artifacts
        mlflow.log_artifact("chart.png")

        # Log models
        mlflow.sklearn.log_model(model, "model")

with DAG('logging_to_mlflow', schedule=None) as dag:
    PythonOperator(task_id='log', python_callable=log_everything)
"""
