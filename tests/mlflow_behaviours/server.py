"""The server as a whole: health, version, and what it says to requests that nobody should send."""


def it_says_that_it_is_well_and_which_it_is(talk):
    assert talk.page("/health") == "OK"
    assert talk.page("/version") == "3.17.2"


def unknown_addresses_and_methods_are_told_apart(talk):
    assert talk.send("GET", "nonsense").status_code == 404
    assert talk.send("GET", "runs/create").status_code == 405
    assert talk.send("POST", "runs/nonsense").status_code == 404
