#!/usr/bin/env bash
# Turns arrows of the house round in a copy of the tree, one at a time; ci/layering must name each.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$root/harness" "$copy/"
[ ! -d "$root/checks" ] || cp -r "$root/checks" "$copy/"
mkdir -p "$copy/checks" "$copy/tests"
failures=0

fail() {
  printf 'FAIL: %s\n' "$1"
  failures=$((failures + 1))
}

holds() {
  local output
  output=$("$root/ci/layering" "$copy") || fail "$1: should hold, but: $output"
}

# breaks NAME FILE TARGET...: a new FILE includes each TARGET from line 2 on; the last one is wrong.
# The tree is put right again afterwards.
breaks() {
  local name=$1 file=$2 output code=0 target expected
  shift 2
  expected="$file:$(($# + 1)): "
  mkdir -p "$(dirname "$copy/$file")"
  [ ! -e "$copy/$file" ] || mv "$copy/$file" "$copy/saved"
  {
    echo "// planted"
    for target in "$@"; do echo "#include \"$target\""; done
  } >"$copy/$file"
  output=$("$root/ci/layering" "$copy") || code=$?
  [ "$code" -eq 1 ] || fail "$name: exit $code instead of 1"
  [ "${output#*"$expected"}" != "$output" ] || fail "$name: '$expected' is not in: $output"
  [ "$(wc -l <<<"$output")" -eq 1 ] || fail "$name: more than one finding: $output"
  rm "$copy/$file"
  [ ! -e "$copy/saved" ] || mv "$copy/saved" "$copy/$file"
}

holds "the tree as it is"
breaks "common includes cli" harness/common/planted.hpp harness/cli/planted.hpp
breaks "drill includes reporting" harness/drill/planted.cpp harness/common/a.hpp harness/reporting/a.hpp
breaks "sandbox includes repository" harness/sandbox/planted.hpp harness/repository/a.hpp
breaks "checks include reporting" checks/planted.cpp harness/drill/a.hpp harness/reporting/a.hpp
breaks "checks include cli" checks/planted.cpp harness/cli/a.hpp
breaks "harness includes checks" harness/drill/planted.cpp checks/a.hpp
breaks "cli, but not the wiring, includes checks" harness/cli/planted.cpp checks/a.hpp
breaks "main includes checks" harness/main.cpp checks/a.hpp
breaks "drill knows a concrete sandbox" harness/drill/planted.cpp harness/sandbox/local_sandbox.hpp
breaks "drill knows a concrete repository" harness/drill/planted.cpp harness/repository/pgbackrest.hpp
breaks "cli knows a concrete reporter" harness/cli/planted.cpp harness/reporting/junit_reporter.hpp
breaks "checks know the concrete runner" checks/planted.cpp harness/process/boost_command_runner.hpp
breaks "an unknown folder is included" harness/cli/planted.cpp harness/attic/a.hpp
breaks "an include beside the file" harness/drill/planted.cpp planted.hpp
breaks "an include by way of the parent" harness/drill/planted.cpp harness/drill/../cli/a.hpp
breaks "harness includes tests" harness/drill/planted.cpp tests/fakes/a.hpp
breaks "a header includes itself" harness/drill/planted.hpp harness/drill/planted.hpp

echo '#include "harness/drill/planted_b.hpp"' >"$copy/harness/drill/planted_a.hpp"
breaks "two headers in a ring" harness/drill/planted_b.hpp harness/common/a.hpp harness/drill/planted_a.hpp
rm "$copy/harness/drill/planted_a.hpp"

echo '#include "harness/sandbox/local_sandbox.hpp"' >"$copy/tests/planted_test.cpp"
echo '#include "harness/repository/backup_repository.hpp"' >"$copy/harness/drill/planted.cpp"
holds "tests know concrete classes, drill knows the seam"

[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
echo "layering: every planted arrow was named"
