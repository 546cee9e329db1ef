"""OpenStack Swift with its S3 gateway, all four servers of it in one process, for the tests that need a real S3 store.

Run by the Python that Debian's `python3-swift` belongs to (/usr/bin/python3), never imported by a test:
`swift_server.py FOLDER PORT`. Access key `test:tester`, secret key `testing`. The image that stands in for SeaweedFS
is built on `start` as well (tests/deploy/stand_ins/weed.py).
"""

import os
import pwd
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eventlet
from eventlet import wsgi

eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

from swift.common import utils  # noqa: E402 - only after the patch
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

App = Callable[..., Any]
BACKENDS = ("account", "container", "object")
REQUESTS_AT_ONCE = 1000
PROXY = """
[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy slo dlo proxy-server
# Swift's own half a second for a connection is too little on a machine that is busy with other tests.
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
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
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


def listen(host: str, port: int = 0) -> socket.socket:
    return eventlet.listen((host, port), reuse_addr=True, backlog=1024)


def start(folder: Path, listener: socket.socket, key: str, secret: str, above: Callable[[App], App]) -> None:
    """Serve the files in a folder to the one who has the key, `ACCOUNT:USER`; `above` sees each request first."""
    (folder / "disk").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = made-up\n")
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    servers = {name: listen("127.0.0.1") for name in BACKENDS}
    for name, server in servers.items():
        ring = RingBuilder(2, 1, 0)
        place = {"ip": "127.0.0.1", "port": server.getsockname()[1], "device": "disk"}
        ring.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, **place})
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{name}.ring.gz"))
    for name, server in servers.items():
        _serve(_application(folder, name, BACKEND.format(folder=folder, name=name)), server)
    account, _, user = key.partition(":")
    settings = PROXY.format(account=account, user=user, secret=secret)
    _serve(above(_application(folder, "proxy", settings)), listener)


def _application(folder: Path, name: str, tail: str) -> App:
    conf = folder / f"{name}.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    conf.write_text(
        f"[DEFAULT]\nswift_dir = {folder}\nuser = {user}\nlog_level = WARNING\nclient_timeout = 120\n{tail}"
    )
    conf.chmod(0o600)
    return loadapp(str(conf), global_conf={"log_name": name})


def _serve(app: App, server: socket.socket) -> None:
    pool = eventlet.GreenPool(REQUESTS_AT_ONCE)
    eventlet.spawn(wsgi.server, server, app, protocol=SwiftHttpProtocol, log_output=False, custom_pool=pool)


def wait_for_ever() -> None:
    while True:
        eventlet.sleep(60)


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    start(folder, listen("127.0.0.1", port), "test:tester", "testing", lambda app: app)
    wait_for_ever()


if __name__ == "__main__":
    main()
