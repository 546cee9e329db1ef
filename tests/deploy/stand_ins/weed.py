#!/usr/bin/python3
"""`weed server -s3`, as far as compose.yaml leans on it: S3 with one key on a port, files in a folder, /healthz.

OpenStack Swift with its S3 gateway does it, as in the tests without containers (tests/integration/swift_server.py).
"""

import argparse
import json
import sys
from pathlib import Path

import swift_server
from swift.common.middleware import tempauth

OWN_KEY = "airfoil:s3"


def name_user_as_its_key(key):
    """SeaweedFS takes any word for an access key; tempauth wants ACCOUNT:USER."""
    begin = tempauth.TempAuth.__init__

    def start(self, *given, **named):
        begin(self, *given, **named)
        self.users[key] = self.users[OWN_KEY]

    tempauth.TempAuth.__init__ = start


def with_health(app):
    def answer(environ, start_response):
        if environ.get("PATH_INFO") in {"/healthz", "/status"}:
            start_response("200 OK", [("Content-Length", "0")])
            return [b""]
        return app(environ, start_response)

    return answer


def arguments():
    parser = argparse.ArgumentParser(prog="weed", allow_abbrev=False)
    parser.add_argument("command", nargs="?")
    parser.add_argument("-s3", action="store_true")
    for name, default in (("dir", "/data"), ("s3.port", "8333"), ("s3.config", "")):
        parser.add_argument(f"-{name}", dest=name.replace(".", "_"), default=default)
    found, _ignored = parser.parse_known_args([word.replace("--", "-", 1) for word in sys.argv[1:]])
    return found


def main():
    given = arguments()
    identity = json.loads(Path(given.s3_config).read_text())["identities"][0]["credentials"][0]
    name_user_as_its_key(identity["accessKey"])
    listener = swift_server.listen("0.0.0.0", int(given.s3_port))  # noqa: S104 - inside a container
    swift_server.start(Path(given.dir), listener, OWN_KEY, identity["secretKey"], with_health)
    print(f"S3 stand-in listens on {given.s3_port}", flush=True)
    swift_server.wait_for_ever()


if __name__ == "__main__":
    main()
