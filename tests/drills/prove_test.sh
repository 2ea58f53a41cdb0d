#!/usr/bin/env bash
# The score of the fault catalogue: prove_test.sh PGREHEARSE OUTPUT [options of prove]
# Everything injected must be detected, nothing else may be. In memory where there is room: what costs
# time elsewhere is that pgBackRest flushes every file.
set -euo pipefail

program=$1
output=$2
shift 2

place=${TMPDIR:-/tmp}
room=$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -1 || echo 0)
if [ -w /dev/shm ] && [ "${room:-0}" -ge 4096 ]; then place=/dev/shm; fi
state=$(mktemp --directory "$place/prove-test-XXXXXX")
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
# 2: everything was detected, but some fault cannot be injected here. That a container may not mount the
# small file systems of three faults is no fault of the catalogue, and no package changes it.
if [ "$status" -eq 2 ]; then
  probe=$(mktemp --directory)
  if mount -t tmpfs tmpfs "$probe" 2>/dev/null; then umount "$probe"; mountable=yes; else mountable=no; fi
  rmdir "$probe"
  if [ "$mountable" = no ]; then exit 0; fi
  if [ "${PGREHEARSE_REQUIRE:-}" != all ]; then exit 77; fi
fi
exit "$status"
