#!/bin/sh
# Installs the system programs that some tests start, if they are missing and apt can bring them.
# Called by `make test` under CI=true or SYSTEM=1 only. What stays missing makes its tests skip, with the reason.
set -u

has() { command -v "$1" >/dev/null 2>&1; }

missing=""
has chromium || has chromium-browser || has google-chrome || missing="$missing chromium"
has ss || missing="$missing iproute2"
has postgres || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
has redis-server || missing="$missing redis-server"
# OpenStack Swift with its S3 gateway: a real S3 store in one process, from the same suite as everything else.
/usr/bin/python3 -c 'import eventlet, swift.common.middleware.s3api' 2>/dev/null || missing="$missing python3-swift"
# The Compose server is started as it is, with images made from Debian's packages. Debian's own engine: it can build.
[ -x /usr/bin/docker ] && has dockerd || missing="$missing docker.io"
has debootstrap || missing="$missing debootstrap"
# Spark counts tables too large for one machine, and is met at full size only.
[ "${FULL:-}" != 1 ] || has java || missing="$missing openjdk-17-jre-headless"
# Prometheus and its Alertmanager check their files and take part in tests: unpacked, for installed they would be started.
stand_ins=/var/cache/airfoil-stand-ins
unpack=""
has promtool || ls $stand_ins/*/usr/bin/promtool >/dev/null 2>&1 || unpack="prometheus prometheus-alertmanager"
# Logins are tried on a real directory, and what the proxy is told on a real Caddy: unpacked as well. What asks the
# directory in Airflow is built from source.
logins=""
has slapd || [ -x $stand_ins/logins/usr/sbin/slapd ] || logins="slapd ldap-utils"
has caddy || [ -x $stand_ins/logins/usr/bin/caddy ] || logins="$logins caddy"
[ -e /usr/include/ldap.h ] || missing="$missing libldap-dev libsasl2-dev"
[ -n "$missing$unpack$logins" ] || exit 0

if ! has apt-get; then
  echo "tests: no apt-get here; install$missing $unpack $logins for the tests that need them, the rest run without"
  exit 0
fi

root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
export DEBIAN_FRONTEND=noninteractive
echo "tests: installing$missing"
# shellcheck disable=SC2086 # both are lists of words
$root apt-get update -q >/dev/null 2>&1
if [ -n "$unpack" ]; then
  # shellcheck disable=SC2086 # as above
  (
    set -e
    $root mkdir -p $stand_ins/monitoring
    folder=$(mktemp -d)
    cd "$folder"
    apt-get download -q $unpack >/dev/null 2>&1
    for package in *.deb; do $root dpkg -x "$package" $stand_ins/monitoring; done
    rm -r "$folder"
    # Debian's Alertmanager looks for its templates there, wherever it was unpacked to.
    [ -e /usr/share/prometheus ] || $root cp -r $stand_ins/monitoring/usr/share/prometheus /usr/share/prometheus
  ) || echo "tests: could not unpack $unpack; the tests that need them will skip"
fi
if [ -n "$logins" ]; then
  # shellcheck disable=SC2086 # as above
  (
    set -e
    $root mkdir -p $stand_ins/logins
    folder=$(mktemp -d)
    mkdir "$folder/partial"
    # With the libraries that they need and this machine lacks.
    $root apt-get install -qy --download-only --no-install-recommends -o "Dir::Cache::archives=$folder" $logins >/dev/null
    for package in "$folder"/*.deb; do $root dpkg -x "$package" $stand_ins/logins; done
    $root rm -r "$folder"
  ) || echo "tests: could not unpack $logins; the tests that need them will skip"
fi
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086
$root apt-get install -qy --no-install-recommends $missing >/dev/null ||
  echo "tests: could not install$missing; the tests that need them will skip"
