#!/usr/bin/env bash
# The score of the fault catalogue: prove_test.sh PGREHEARSE OUTPUT [options of prove]
# Everything injected must be detected, and nothing else. In memory if there is enough space: on disk,
# pgBackRest's fsync of every file takes the time.
set -euo pipefail

program=$1
output=$2
shift 2

case " $* " in
  *" --tool barman "*)
    if ! command -v barman >/dev/null; then
      echo "barman is not installed" >&2
      if [ "${PGREHEARSE_REQUIRE:-}" = all ]; then exit 1; fi
      exit 77
    fi ;;
esac

parent=${TMPDIR:-/tmp}
available=$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -1 || echo 0)
if [ -w /dev/shm ] && [ "${available:-0}" -ge 4096 ]; then parent=/dev/shm; fi
state=$(mktemp --directory "$parent/prove-test-XXXXXX")
chmod 755 "$state"
trap 'rm -rf "$state"' EXIT

mkdir -p "$output"
status=0
"$program" prove --state "$state" --json "$output/faults.json" --junit "$output/faults.xml" "$@" || status=$?

left=$(find "$state" -mindepth 1 -not -path "$state/sandboxes" | head)
if [ -n "$left" ]; then
  echo "prove left something behind: $left" >&2
  exit 1
fi
# 2: everything was detected, but some fault cannot be injected here. Three faults mount small file
# systems, which a container may not do whatever packages are installed.
if [ "$status" -eq 2 ]; then
  probe=$(mktemp --directory)
  if mount -t tmpfs tmpfs "$probe" 2>/dev/null; then umount "$probe"; mountable=yes; else mountable=no; fi
  rmdir "$probe"
  if [ "$mountable" = no ]; then exit 0; fi
  if [ "${PGREHEARSE_REQUIRE:-}" != all ]; then exit 77; fi
fi
exit "$status"
