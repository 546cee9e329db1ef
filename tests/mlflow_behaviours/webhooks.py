"""Webhooks: kept with their events, listed, changed, removed; the secret is never shown."""

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
EVENTS = [
    {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
    {"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"},
    {"entity": "MODEL_VERSION", "action": "CREATED"},
]


def _webhook(talk, **given):
    given = {"name": "airfoil", "url": "http://127.0.0.1:9/hook", "events": EVENTS, **given}
    made = talk.ask("POST", "webhooks", **given)["webhook"]
    return made["webhook_id"], made


def it_is_kept_without_showing_its_secret(talk):
    number, made = _webhook(talk, secret="s3cret", description="d")
    assert (made["status"], made["url"]) == ("ACTIVE", "http://127.0.0.1:9/hook")
    assert "secret" not in made
    found = talk.ask("GET", f"webhooks/{number}")["webhook"]
    assert sorted(map(str, found.pop("events"))) == sorted(map(str, made.pop("events")))
    assert found == made
    talk.ask("DELETE", f"webhooks/{number}")


def names_may_repeat(talk):
    made = {_webhook(talk)[0] for _ in range(2)}
    assert len(made) == 2
    listed = {one["webhook_id"] for one in talk.ask("GET", "webhooks")["webhooks"]}
    assert made <= listed
    for number in made:
        talk.ask("DELETE", f"webhooks/{number}")


def they_come_in_pages(talk):
    made = {_webhook(talk)[0] for _ in range(3)}
    listed, token = [], ""
    while True:
        answer = talk.ask("GET", "webhooks", max_results=2, **({"page_token": token} if token else {}))
        listed += [one["webhook_id"] for one in answer.get("webhooks", [])]
        token = answer.get("next_page_token", "")
        if not token:
            break
    assert made <= set(listed)
    assert talk.refusal("GET", "webhooks", max_results=1001) == INVALID
    for number in made:
        talk.ask("DELETE", f"webhooks/{number}")


def it_is_changed_and_taken_away(talk):
    number, _ = _webhook(talk)
    url = "http://127.0.0.1:9/other"
    changed = talk.ask("PATCH", f"webhooks/{number}", status="DISABLED", url=url)["webhook"]
    assert (changed["status"], changed["url"]) == ("DISABLED", url)
    talk.ask("DELETE", f"webhooks/{number}")
    assert talk.refusal("GET", f"webhooks/{number}") == MISSING
    assert talk.refusal("PATCH", f"webhooks/{number}", status="ACTIVE") == MISSING
    assert talk.refusal("DELETE", f"webhooks/{number}") == MISSING


def garbage_is_refused(talk):
    good = {"name": "airfoil", "url": "http://127.0.0.1:9/hook", "events": EVENTS[:1]}
    for bad in (
        {"name": "-a"},
        {"name": "a b"},
        {"name": ""},
        {"url": "ftp://127.0.0.1/hook"},
        {"url": ""},
        {"events": []},
        {"events": [{"entity": "MODEL_VERSION_ALIAS", "action": "SET"}]},
    ):
        assert talk.refusal("POST", "webhooks", **{**good, **bad}) == INVALID
