import socket
import threading

import httpx
import pytest

from airfoil.runtime.here import channel

pytestmark = pytest.mark.unit


@pytest.fixture
def talk():
    """Serve with a function in a thread; gives the asking end."""
    opened = []

    def start(answer):
        mine, its = socket.socketpair()
        thread = threading.Thread(target=channel.serve, args=(its.detach(), answer))
        thread.start()
        questions = channel.Questions(mine.detach())
        opened.append((questions, thread))
        return questions

    yield start
    for questions, thread in opened:
        questions.close()
        thread.join(5)
        assert not thread.is_alive(), "the helper outlives its session"


def test_a_question_and_its_answer(talk):
    questions = talk(lambda what, values: (what, values))

    assert questions.ask("next", a=1) == ("next", {"a": 1})
    assert questions.ask("done") == ("done", {})


def test_a_refusal_is_a_sentence_and_a_failure_names_its_error(talk, capfd):
    def answer(what, values):
        if what == "no":
            raise channel.Refusal("There is no such task.")
        raise KeyError("x")

    questions = talk(answer)

    with pytest.raises(channel.Refusal, match=r"^There is no such task\.$"):
        questions.ask("no")
    with pytest.raises(channel.HelperFailedError, match="KeyError: 'x'"):
        questions.ask("bug")
    assert "Traceback" in capfd.readouterr().err


def test_a_helper_that_ended_is_noticed():
    mine, its = socket.socketpair()
    its.close()

    with pytest.raises(channel.HelperGoneError):
        channel.Questions(mine.detach()).ask("next")


def test_what_a_task_asks_arrives_whole_on_the_other_side(talk):
    seen = []

    def respond(request):
        seen.append((request.method, str(request.url), request.read(), request.headers.get("x-own")))
        return httpx.Response(201, json={"größe": 1}, headers={"x-answer": "yes"})

    there = httpx.MockTransport(respond)
    questions = talk(lambda _, values: channel.send(there, values))

    with httpx.Client(transport=channel.HelperTransport(questions), base_url="http://nowhere") as client:
        answer = client.post("/xcoms/a b?n=1", json=[1], headers={"x-own": "1"})

    assert (answer.status_code, answer.json(), answer.headers["x-answer"]) == (201, {"größe": 1}, "yes")
    assert seen == [("POST", "http://nowhere/xcoms/a%20b?n=1", b"[1]", "1")]


def test_a_packed_answer_is_unpacked_once(talk):
    import gzip

    packed = gzip.compress(b'{"a": 1}')
    there = httpx.MockTransport(
        lambda _: httpx.Response(200, content=packed, headers={"content-encoding": "gzip"})
    )
    questions = talk(lambda _, values: channel.send(there, values))

    with httpx.Client(transport=channel.HelperTransport(questions), base_url="http://nowhere") as client:
        assert client.get("/").json() == {"a": 1}
