#!/usr/bin/python3
"""`weed server -s3`, as far as compose.yaml leans on it: S3 with one key on a port, files in a folder, /healthz.

OpenStack Swift with its S3 gateway, all four servers of it in one process, from Debian's `python3-swift`.
"""

import argparse
import json
import os
import pwd
import sys
from pathlib import Path

import eventlet
from eventlet import wsgi

eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

from swift.common import utils  # noqa: E402 - only after the patch
from swift.common.middleware import tempauth  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

BACKENDS = ("account", "container", "object")
OWN_USER = "airfoil:s3"
PROXY = """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
conn_timeout = 60
node_timeout = 120
recoverable_node_timeout = 120
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_airfoil_s3 = {secret} .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
BACKEND = """
devices = {folder}
mount_check = false
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""


def listen(host, port=0):
    return eventlet.listen((host, port), reuse_addr=True, backlog=1024)


def application(folder, name, tail):
    conf = folder / f"{name}.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    conf.write_text(
        f"[DEFAULT]\nswift_dir = {folder}\nuser = {user}\nlog_level = WARNING\nclient_timeout = 120\n{tail}"
    )
    conf.chmod(0o600)
    return loadapp(str(conf), global_conf={"log_name": name})


def serve(app, server):
    pool = eventlet.GreenPool(1000)
    eventlet.spawn(wsgi.server, server, app, protocol=SwiftHttpProtocol, log_output=False, custom_pool=pool)


def name_user_as_its_key(key):
    """SeaweedFS takes any word for an access key; tempauth wants ACCOUNT:USER."""
    begin = tempauth.TempAuth.__init__

    def start(self, *given, **named):
        begin(self, *given, **named)
        self.users[key] = self.users[OWN_USER]

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
    folder = Path(given.dir)
    (folder / "disk").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = made-up\n")
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    name_user_as_its_key(identity["accessKey"])
    servers = {name: listen("127.0.0.1") for name in BACKENDS}
    for name, server in servers.items():
        ring = RingBuilder(2, 1, 0)
        place = {"ip": "127.0.0.1", "port": server.getsockname()[1], "device": "disk"}
        ring.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, **place})
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{name}.ring.gz"))
    for name, server in servers.items():
        serve(application(folder, name, BACKEND.format(folder=folder, name=name)), server)
    proxy = application(folder, "proxy", PROXY.format(secret=identity["secretKey"]))
    serve(with_health(proxy), listen("0.0.0.0", int(given.s3_port)))  # noqa: S104 - inside a container
    print(f"S3 stand-in listens on {given.s3_port}", flush=True)
    while True:
        eventlet.sleep(60)


if __name__ == "__main__":
    main()
