#!/usr/bin/env bash
# Starts a podman service for the tests, with the image pgrehearse:<newest PostgreSQL major installed>.
# usage: podman.sh up|down RECORD
#
# RECORD: see docker.sh. PGREHEARSE_TEST_PODMAN names a service to use instead.
set -euo pipefail

action=$1
record=$(realpath -m "$2")
scratch=$record.d
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

give_up() { printf '%s\n' "$1" >"$record"; printf '%s\n' "$1"; exit 0; }

# Mounting needs CAP_SYS_ADMIN (bit 21).
may_mount() { (( 0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 21 & 1 )); }

# podman rejects a run root of more than 50 characters.
run_root() { readlink "$scratch/run"; }
podman_here() { podman --root "$scratch/root" --runroot "$(run_root)" "$@"; }

# podman bind-mounts its storage on itself.
unmount_all() {
  awk -v below="$scratch/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r |
    while read -r target; do umount --lazy "$target" || true; done
}

# The service and its monitors, which would create the storage again when they end.
processes() { pgrep --full -- "--root $scratch/root|$scratch/root/overlay-containers" || true; }

down() {
  [ ! -L "$scratch/run" ] ||
    timeout 30 podman --root "$scratch/root" --runroot "$(run_root)" rm --all --force \
      >/dev/null 2>&1 || true
  for _ in $(seq 50); do
    mapfile -t left < <(processes)
    [ ${#left[@]} -gt 0 ] || break
    kill -9 "${left[@]}" 2>/dev/null || true
    sleep 0.1
  done
  unmount_all
  [ ! -L "$scratch/run" ] || rm -rf "$(run_root)"
  rm -rf "$scratch" "$record"
}

up() {
  down
  mkdir -p "$scratch"/{root,tmp}
  ln -s "$(mktemp -d /tmp/pgr-podman-XXXXXX)" "$scratch/run"
  if [ -n "${PGREHEARSE_TEST_PODMAN:-}" ]; then
    printf '%s\n' "$PGREHEARSE_TEST_PODMAN" >"$record"
    return
  fi
  command -v podman >/dev/null || give_up "missing: podman is not installed"
  may_mount || give_up "impossible: containers need CAP_SYS_ADMIN, which this account lacks"
  # For hosts without systemd, and with limits that cannot be raised.
  cat >"$scratch/containers.conf" <<'CONF'
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
# How long the monitor of a finished command remains; the default is five minutes.
exit_command_delay = 20
CONF
  export CONTAINERS_CONF=$scratch/containers.conf TMPDIR=$scratch/tmp
  "$repository/docker/from-host" --output "$scratch/root.tar"
  major=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -1)
  podman_here import "$scratch/root.tar" "pgrehearse:$major"
  rm "$scratch/root.tar"
  # conmon writes a file "oom" to its working directory.
  (
    cd "$scratch"
    exec setsid podman --root "$scratch/root" --runroot "$(run_root)" system service --time=0 \
      "unix://$scratch/socket" >"$scratch/log" 2>&1 </dev/null
  ) &
  echo $! >"$scratch/pid"
  for _ in $(seq 150); do
    [ -S "$scratch/socket" ] && break
    sleep 0.2
  done
  printf 'unix://%s\n' "$scratch/socket" >"$record"
}

"$action"
