#!/usr/bin/env bash
# Adds text to a copy of the tree, one piece at a time; ci/wording must report what it rejects, and
# nothing else.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
failures=0

fail() {
  printf 'FAIL: %s\n' "$1"
  failures=$((failures + 1))
}

# rejects NAME FILE EXPECTED: the text on stdin as FILE; EXPECTED must be in the one line reported.
rejects() {
  local name=$1 file=$2 expected=$3 output code=0
  mkdir -p "$(dirname "$copy/$file")"
  cat >"$copy/$file"
  output=$("$root/ci/wording" "$copy") || code=$?
  [ "$code" -eq 1 ] || fail "$name: exit $code instead of 1"
  [[ $output == *"$expected"* ]] || fail "$name: '$expected' is not in: $output"
  [ "$(grep -c "^$file:" <<<"$output")" -eq 1 ] || fail "$name: not exactly one finding: $output"
  rm "$copy/$file"
}

# accepts NAME FILE: the text on stdin as FILE.
accepts() {
  local name=$1 file=$2 output
  mkdir -p "$(dirname "$copy/$file")"
  cat >"$copy/$file"
  output=$("$root/ci/wording" "$copy") || fail "$name: $output"
  rm "$copy/$file"
}

rejects "a string" harness/added.cpp "harness/added.cpp:2: 'behind'" <<'EOT'
// A message.
const char* message = "the segments behind the gap cannot be used";
EOT
rejects "a phrase in two literals" harness/added.cpp "harness/added.cpp:1: 'of no" <<'EOT'
const char* message = "the backup is of "
    "no use";
EOT
rejects "a comment of two lines" harness/added.hpp "harness/added.hpp:1: 'in front of'" <<'EOT'
// Removes what is in front
// of the target.
EOT
rejects "a name" harness/added.cpp "harness/added.cpp:1: 'patience'" <<'EOT'
int look_patience = 3;
EOT
rejects "a document" docs/added.md "docs/added.md:3: 'lies'" <<'EOT'
# Title

The repository lies on another host.
EOT
rejects "a phrase in two lines of a document" docs/added.md "docs/added.md:1: 'in front of'" <<'EOT'
It is in front
of the target.
EOT
accepts "lag" harness/added.cpp <<'EOT'
const char* message = "the standby is 3 MB behind the primary";
EOT
accepts "code that is no text" harness/added.cpp <<'EOT'
const auto found = lies(of);
EOT

output=$("$root/ci/wording" "$root") || fail "the tree as it is: $output"

[ "$failures" -eq 0 ] || { echo "$failures failed"; exit 1; }
echo "wording: every listed word was reported"
