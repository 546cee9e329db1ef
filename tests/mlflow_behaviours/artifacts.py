"""Artifacts that go through the server: files under paths, listed as folders."""

import httpx


def _place(talk):
    number = talk.experiment()
    run = talk.run(number)
    return run, f"{number}/{run}/artifacts"


def a_file_is_stored_whole_and_overwritten(talk):
    _, root = _place(talk)
    for content in (b"first", b"", b"\x00second"):
        assert talk.file("PUT", f"{root}/a/b.bin", content).is_success
        assert talk.file("GET", f"{root}/a/b.bin").content == content


def names_may_hold_any_letter(talk):
    run, root = _place(talk)
    assert talk.file("PUT", f"{root}/größe%20100%25.txt", b"x").is_success
    assert talk.file("GET", f"{root}/größe%20100%25.txt").content == b"x"
    files = talk.ask("GET", "artifacts/list", run_id=run)["files"]
    assert files == [{"path": "größe 100%.txt", "is_dir": False, "file_size": 1}]


def folders_are_listed_one_level_at_a_time(talk):
    run, root = _place(talk)
    for name in ("a/b/c.txt", "a/d.txt", "e.txt"):
        talk.file("PUT", f"{root}/{name}", b"12")
    top = talk.ask("GET", "artifacts/list", run_id=run)
    assert top["root_uri"] == f"mlflow-artifacts:/{root}"
    assert [(one["path"], one["is_dir"]) for one in top["files"]] == [("a", True), ("e.txt", False)]
    below = talk.ask("GET", "artifacts/list", run_id=run, path="a")["files"]
    assert [(one["path"], one.get("file_size")) for one in below] == [("a/b", None), ("a/d.txt", 2)]
    assert "files" not in talk.ask("GET", "artifacts/list", run_id=run, path="none")
    missing = talk.refusal("GET", "artifacts/list", run_id="f" * 32)
    assert missing == (404, "RESOURCE_DOES_NOT_EXIST")


def the_files_of_a_model_are_listed_too(talk):
    number = talk.experiment()
    model = talk.logged_model(experiment=number)
    talk.file("PUT", f"{number}/models/{model}/artifacts/MLmodel", b"x")
    files = talk.ask("GET", f"logged-models/{model}/artifacts/directories")["files"]
    assert files == [{"path": "MLmodel", "is_dir": False, "file_size": 1}]


def a_file_that_is_not_there_is_said(talk):
    _, root = _place(talk)
    answer = talk.file("GET", f"{root}/none.txt")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def a_way_out_of_the_store_and_a_sign_of_addresses_are_refused(talk):
    for path in ("1/%2e%2e/%2e%2e/x", "1/a%23b"):
        answer = talk.file("PUT", path, b"x")
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def a_file_is_removed(talk):
    _, root = _place(talk)
    talk.file("PUT", f"{root}/a.txt", b"x")
    assert talk.file("DELETE", f"{root}/a.txt").is_success
    assert talk.file("GET", f"{root}/a.txt").status_code == httpx.codes.NOT_FOUND
