"""A gated training, as an Airflow that has the provider and nothing else of ours runs it."""

from airflow.sdk import dag, task

from airfoil import Model, Scores, gate, promote, register


@dag(schedule=None)
def wine_gated():
    @task.mlflow(multiple_outputs=True)
    def train(mlflow_run, work):
        from sklearn.datasets import load_wine
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.model_selection import train_test_split

        data = load_wine(as_frame=True)
        seen, unseen, labels, truth = train_test_split(data.data, data.target, random_state=7)
        mlflow_run.log_params({"trees": 50})
        work.write("seen", seen)
        forest = RandomForestClassifier(n_estimators=50, random_state=7).fit(seen, labels)
        scores = Scores(values={"accuracy": forest.score(unseen, truth)}, rows=len(unseen))
        mlflow_run.log_metrics(dict(scores.values))
        model = mlflow_run.log_model(forest, name="wine", example=seen.head(3))
        return {"model": model, "scores": scores}

    trained = train()
    decision = gate(
        trained["scores"], metric="accuracy", at_least=0.9, better_than=Model("wine").at("champion")
    )
    promote(register(trained["model"], name="wine", when=decision), because=decision)


wine_gated()
