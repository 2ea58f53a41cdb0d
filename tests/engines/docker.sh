#!/usr/bin/env bash
# Starts a Docker daemon for the tests, with the image pgrehearse:<newest PostgreSQL major installed>.
# usage: docker.sh up|down|crash|start RECORD
#
# Writes one line to RECORD: the daemon's address, "missing: ..." when a package is missing, or
# "impossible: ..." when this machine cannot run a daemon. PGREHEARSE_TEST_DOCKER names a daemon to
# use instead; only images are added to it.
set -euo pipefail

action=$1
record=$(realpath -m "$2")
scratch=$record.d
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

give_up() { printf '%s\n' "$1" >"$record"; printf '%s\n' "$1"; exit 0; }

# Mounting needs CAP_SYS_ADMIN (bit 21).
may_mount() { (( 0x$(awk '/^CapEff/ { print $2 }' /proc/self/status) >> 21 & 1 )); }

stop() {
  [ -s "$scratch/pid" ] || return 0
  local pid
  pid=$(<"$scratch/pid")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 300); do
    # An unreaped daemon (a zombie) has ended, too.
    case $(awk '{ print $3 }' "/proc/$pid/stat" 2>/dev/null) in "" | Z) return 0 ;; esac
    sleep 0.1
  done
  return 1
}

# Simulates a crash: containers and containerd keep running.
crash() {
  kill -9 "$(<"$scratch/pid")"
  rm -f "$scratch/pid" "$scratch/socket"
}

# Without a reaping process 1, a killed containerd keeps its pid, and the next daemon would wait for
# it.
forget_dead_containerd() {
  local file=$scratch/exec/containerd/containerd.pid
  [ -s "$file" ] || return 0
  for _ in $(seq 50); do
    case $(awk '{ print $3 }' "/proc/$(<"$file")/stat" 2>/dev/null) in "" | Z)
      rm -f "$file"
      return 0 ;;
    esac
    sleep 0.1
  done
}

# dockerd gives up when containerd needs longer than 15 seconds, as on a busy host.
start() {
  local daemon
  export DOCKER_HOST=unix://$scratch/socket
  for _ in 1 2 3; do
    forget_dead_containerd
    setsid dockerd -H "unix://$scratch/socket" --data-root "$scratch/data" \
      --exec-root "$scratch/exec" --pidfile "$scratch/pid" --bridge=none --iptables=false \
      --ip6tables=false >>"$scratch/log" 2>&1 </dev/null &
    daemon=$!
    for _ in $(seq 300); do
      docker version >/dev/null 2>&1 && return 0
      kill -0 "$daemon" 2>/dev/null || break
      sleep 0.2
    done
  done
  tail -5 "$scratch/log" >&2
  return 1
}

down() {
  stop || true
  awk -v below="$scratch/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts 2>/dev/null |
    sort -r | while read -r target; do umount --lazy "$target" || true; done
  rm -rf "$scratch" "$record"
}

# Unusable images: one without pgBackRest, one for another architecture.
make_unusable_images() {
  local root=$scratch/foreign layer image
  image=$(docker images --quiet 'pgrehearse' | head -1)
  printf 'FROM %s\nUSER 0\nRUN ["rm", "/usr/bin/pgbackrest"]\n' "$image" |
    DOCKER_BUILDKIT=0 docker build --network none --tag pgrehearse-test:no-pgbackrest -
  # docker load accepts the architecture that the configuration states.
  mkdir "$root"
  tar --create --file "$root/layer.tar" --files-from /dev/null
  layer=$(sha256sum "$root/layer.tar" | cut -d ' ' -f 1)
  printf '{"architecture":"s390x","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$layer" >"$root/config.json"
  printf '[{"Config":"config.json","RepoTags":["pgrehearse-test:foreign"],"Layers":["layer.tar"]}]' \
    >"$root/manifest.json"
  tar --create --directory "$root" config.json layer.tar manifest.json | docker load
}

up() {
  down
  mkdir -p "$scratch"
  if [ -n "${PGREHEARSE_TEST_DOCKER:-}" ]; then
    export DOCKER_HOST=$PGREHEARSE_TEST_DOCKER
    docker version >/dev/null
  else
    command -v dockerd >/dev/null || give_up "missing: dockerd is not installed"
    may_mount || give_up "impossible: a Docker daemon needs CAP_SYS_ADMIN, which this account lacks"
    start
  fi
  "$repository/docker/from-host"
  make_unusable_images
  printf '%s\n' "$DOCKER_HOST" >"$record"
}

"$action"
