"""OpenStack Swift with its S3 gateway, all four servers of it in one process, for the tests that need a real S3 store.

Run by the Python that Debian's `python3-swift` belongs to (/usr/bin/python3), never imported by a test:
`swift_server.py FOLDER PORT`. Access key `test:tester`, secret key `testing`.
"""

import os
import pwd
import socket
import sys
from pathlib import Path

import eventlet
from eventlet import wsgi
from swift.common import utils
from swift.common.ring import RingBuilder
from swift.common.wsgi import SwiftHttpProtocol, loadapp

eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

BACKENDS = ("account", "container", "object")
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
user_test_tester = testing .admin
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


def listen(port: int = 0) -> socket.socket:
    return eventlet.listen(("127.0.0.1", port))


def serve(folder: Path, name: str, tail: str, server: socket.socket) -> None:
    conf = folder / f"{name}.conf"
    user = pwd.getpwuid(os.getuid()).pw_name
    conf.write_text(
        f"[DEFAULT]\nswift_dir = {folder}\nuser = {user}\nlog_level = WARNING\nclient_timeout = 120\n{tail}"
    )
    app = loadapp(str(conf), global_conf={"log_name": name})
    eventlet.spawn(wsgi.server, server, app, protocol=SwiftHttpProtocol, log_output=False)


def main() -> None:
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    (folder / "disk").mkdir(parents=True)
    (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = made-up\n")
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    servers = {name: listen() for name in BACKENDS}
    for name, server in servers.items():
        ring = RingBuilder(2, 1, 0)
        place = {"ip": "127.0.0.1", "port": server.getsockname()[1], "device": "disk"}
        ring.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, **place})
        ring.rebalance()
        ring.get_ring().save(str(folder / f"{name}.ring.gz"))
    for name, server in servers.items():
        serve(folder, name, BACKEND.format(folder=folder, name=name), server)
    serve(folder, "proxy", PROXY, listen(port))
    while True:
        eventlet.sleep(60)


if __name__ == "__main__":
    main()
