#!/usr/bin/env bash
# Violates each layering rule in a copy of the tree, one at a time; ci/layering must report each.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r "$root/harness" "$root/checks" "$copy/"
mkdir -p "$copy/tests"
failures=0

fail() {
  printf 'FAIL: %s\n' "$1"
  failures=$((failures + 1))
}

holds() {
  local output
  output=$("$root/ci/layering" "$copy") || fail "$1: expected no finding, but: $output"
}

# breaks NAME FILE TARGET...: a new FILE includes each TARGET from line 2 on; the last one is wrong.
# The tree is restored afterwards.
breaks() {
  local name=$1 file=$2 output code=0 target expected
  shift 2
  expected="$file:$(($# + 1)): "
  mkdir -p "$(dirname "$copy/$file")"
  [ ! -e "$copy/$file" ] || mv "$copy/$file" "$copy/saved"
  {
    echo "// added by the test"
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
breaks "common includes cli" harness/common/added.hpp harness/cli/added.hpp
breaks "drill includes reporting" harness/drill/added.cpp harness/common/a.hpp harness/reporting/a.hpp
breaks "sandbox includes repository" harness/sandbox/added.hpp harness/repository/a.hpp
breaks "scenario includes drill" harness/scenario/added.hpp harness/drill/a.hpp
breaks "the language includes the scenario" harness/scenario/language/added.hpp harness/scenario/a.hpp
breaks "the interface includes one of its kinds" harness/sandbox/added.cpp harness/sandbox/vm/a.hpp
breaks "one kind of sandbox includes another" harness/sandbox/vm/added.cpp harness/sandbox/container/a.hpp
breaks "one kind of sandbox includes a later one" harness/sandbox/local/added.cpp harness/sandbox/container/a.hpp
breaks "what sandboxes share includes one of them" harness/sandbox/shared/added.cpp harness/sandbox/local/a.hpp
breaks "the map includes the report" harness/map/added.cpp harness/report/a.hpp
breaks "drill includes kubernetes" harness/drill/added.cpp harness/kubernetes/a.hpp
breaks "the comparison includes a check" checks/comparison/added.cpp checks/checks.hpp
breaks "checks include reporting" checks/added.cpp harness/drill/a.hpp harness/reporting/a.hpp
breaks "checks include cli" checks/added.cpp harness/cli/a.hpp
breaks "harness includes checks" harness/drill/added.cpp checks/a.hpp
breaks "cli, but not the wiring, includes checks" harness/cli/added.cpp checks/a.hpp
breaks "main includes checks" harness/main.cpp checks/a.hpp
breaks "drill knows a concrete sandbox" harness/drill/added.cpp harness/sandbox/local/local_sandbox.hpp
breaks "drill knows a concrete repository" harness/drill/added.cpp harness/repository/pgbackrest/pgbackrest_info.hpp
breaks "cli knows a concrete reporter" harness/cli/added.cpp harness/reporting/junit_reporter.hpp
breaks "checks know the concrete runner" checks/added.cpp harness/process/boost_command_runner.hpp
breaks "an unknown folder is included" harness/cli/added.cpp harness/attic/a.hpp
breaks "an include without a path" harness/drill/added.cpp added.hpp
breaks "an include by way of the parent" harness/drill/added.cpp harness/drill/../cli/a.hpp
breaks "harness includes tests" harness/drill/added.cpp tests/fakes/a.hpp
breaks "a header includes itself" harness/http/added.hpp harness/http/added.hpp

echo '#include "harness/http/added_b.hpp"' >"$copy/harness/http/added_a.hpp"
breaks "two headers include each other" harness/http/added_b.hpp harness/common/a.hpp harness/http/added_a.hpp
rm "$copy/harness/http/added_a.hpp"

echo 'auto code = "PGR-WAL-GAP";' >"$copy/harness/http/added.cpp"
output=$("$root/ci/layering" "$copy") && fail "a finding code outside the table: exit 0"
[[ $output == "harness/http/added.cpp:1: PGR-WAL-GAP: "* ]] || fail "a finding code outside the table: $output"
rm "$copy/harness/http/added.cpp"

for number in $(seq 26); do : >"$copy/harness/http/file_$number.hpp"; done
output=$("$root/ci/layering" "$copy") && fail "a crowded folder: exit 0"
[[ $output == "harness/http: "*" files, at most 25" ]] || fail "a crowded folder: $output"
rm "$copy"/harness/http/file_*.hpp

echo '#include "harness/sandbox/local/local_sandbox.hpp"' >"$copy/tests/added_test.cpp"
echo '#include "harness/repository/backup_repository.hpp"' >"$copy/harness/drill/added.cpp"
holds "tests know implementations, drill knows the interface"

[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
echo "layering: every broken rule was reported"
