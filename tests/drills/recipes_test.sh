#!/usr/bin/env bash
# The recipes on the lab with its S3-compatible store. recipes_test.sh PGREHEARSE STORES
set -euo pipefail

program=$(realpath "$1")
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp --directory /var/tmp/recipes-test-XXXXXX)
chmod 755 "$scratch"
export LAB_DIRECTORY=$scratch/lab PGREHEARSE=$program LAB_S3RVER=$2/node_modules/s3rver
lab=$repository/docker/lab

finish() {
  [ ! -d "$LAB_DIRECTORY/run" ] || "$lab/host" down >/dev/null || true
  rm -rf "$scratch"
}
trap finish EXIT
fail() { printf 'FAIL  %s\n' "$*" >&2; exit 1; }

status=0
[ -e "$LAB_S3RVER" ] || status=3
[ "$status" -ne 0 ] || "$lab/host" up || status=$?
if [ "$status" -eq 3 ]; then
  [ "${PGREHEARSE_REQUIRE:-}" != all ] || fail "a program is missing; ci/setup --tests installs them"
  echo "skipped: a program is missing"
  exit 77
fi
[ "$status" -eq 0 ] || fail "up ended with $status"
# A recipe without a run here would be untested.
for recipe in "$repository"/scenarios/recipes/*.yaml; do
  name=$(basename "$recipe" .yaml)
  grep -q "^adapt $name " "$lab/recipes" || fail "docker/lab/recipes does not run $name"
done
"$lab/recipes" || fail "the recipes ended with $?"
