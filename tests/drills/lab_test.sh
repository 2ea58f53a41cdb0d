#!/usr/bin/env bash
# The lab without containers: up, one drill against it, down, nothing left. lab_test.sh PGREHEARSE
set -euo pipefail

program=$(realpath "$1")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# In memory where there is room: what costs time elsewhere is that pgBackRest flushes every file.
place=/var/tmp
room=$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -1 || echo 0)
if [ -w /dev/shm ] && [ "${room:-0}" -ge 2048 ]; then place=/dev/shm; fi
scratch=$(mktemp --directory "$place/lab-test-XXXXXX")
chmod 755 "$scratch"
export LAB_DIRECTORY=$scratch/lab PGREHEARSE=$program
# The store comes from npm, which no test may need.
unset LAB_S3RVER
lab=$repository/docker/lab/host

finish() {
  [ ! -d "$LAB_DIRECTORY/run" ] || "$lab" down >/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT

fail() {
  printf 'FAIL  %s\n' "$*" >&2
  tail -n 15 "$LAB_DIRECTORY"/log/*.log >&2 2>/dev/null || true
  exit 1
}

# Every process, of whatever account, that is called with a path below the lab or lives there. The
# path comes by a file: a search that names it would find itself.
living() {
  grep -lsaF -f "$scratch/path" /proc/[0-9]*/cmdline || true
  find /proc/[0-9]*/cwd -printf '%p %l\n' 2>/dev/null | grep -F -f "$scratch/path" || true
}
printf '%s\n' "$LAB_DIRECTORY/" >"$scratch/path"

status=0
"$lab" up || status=$?
if [ "$status" -eq 3 ]; then
  [ "${PGREHEARSE_REQUIRE:-}" != all ] || fail "a program is missing; ci/setup --tests installs them"
  echo "skipped: a program is missing"
  exit 77
fi
[ "$status" -eq 0 ] || fail "up ended with $status"

members=$("$lab" status)
[ "$(grep -c ' leader ' <<<"$members")" -eq 1 ] || fail "not one leader: $members"
[ "$(grep -c ' replica ' <<<"$members")" -eq 2 ] || fail "not two standbys: $members"
[ "$("$lab" psql --tuples-only --no-align --command 'select pg_is_in_recovery()')" = f ] ||
  fail "HAProxy does not lead to the leader"
"$lab" pgrehearse run --quiet "$repository/docker/lab/scenario.yaml" || fail "the drill ended with $?"
[ -n "$(living)" ] || fail "the search for processes finds none of a lab that is up"
"$lab" down || fail "down ended with $?"
[ ! -e "$LAB_DIRECTORY" ] || fail "$LAB_DIRECTORY is left"
left=$(living)
[ -z "$left" ] || fail "processes are left: $left"
