#!/usr/bin/env bash
# The units of ci/units: accepted by systemd, and hardened. The services cannot be started here.
# usage: units_test.sh REPOSITORY
set -euo pipefail
units=$1/ci/units
if ! command -v systemd-analyze >/dev/null; then
  echo "systemd-analyze is missing; ci/setup --tests installs it"
  [ "${PGREHEARSE_REQUIRE:-}" = all ] && exit 1
  exit 77
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for unit in pgrehearse.service pgrehearse@.service pgrehearse@.timer; do
  # The program may not be installed.
  sed 's,/usr/bin/pgrehearse,/bin/true,' "$units/$unit" > "$scratch/${unit/@/@weekly}"
done
cd "$scratch"
systemd-analyze verify --man=no ./pgrehearse.service ./pgrehearse@weekly.timer ./pgrehearse@weekly.service \
  > verify.log 2>&1 || { cat verify.log; exit 1; }
[ ! -s verify.log ] || { cat verify.log; exit 1; }
# A misspelled setting must be found, or the check above means nothing.
sed -i 's/^KillMode=/KilMode=/' pgrehearse.service
systemd-analyze verify --man=no ./pgrehearse.service > broken.log 2>&1 || true
grep -q "KilMode" broken.log || { echo "systemd-analyze does not check the units"; exit 1; }
sed -i 's/^KilMode=/KillMode=/' pgrehearse.service
# 10 is the least secure.
systemd-analyze security --offline=yes --threshold=55 ./pgrehearse.service > security.log ||
  { tail -3 security.log; exit 1; }
tail -1 security.log
# crontab(5): six words before the command, as the line names the account.
grep -v '^#' "$units/pgrehearse.cron" | awk 'NF < 7 || $6 != "root" { exit 1 }'
