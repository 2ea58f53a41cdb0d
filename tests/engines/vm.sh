#!/usr/bin/env bash
# Builds a virtual machine image for the tests, and unusable copies of it.
# usage: vm.sh up|down RECORD
#
# Writes one line to RECORD: the image's directory, "missing: ..." when a package is missing, or
# "impossible: ..." when this machine cannot run it. PGREHEARSE_TEST_VM names an image to use instead.
# The image is cached in RECORD.image until its build script or the installed packages change.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

action=$1
record=$(realpath -m "$2")
# Readable by the account that runs PostgreSQL, unlike a home directory.
scratch=/var/tmp/pgrehearse-test-vm-$(printf '%s' "$record" | sha256sum | cut -c 1-12)
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

give_up() { printf '%s\n' "$1" >"$record"; printf '%s\n' "$1"; exit 0; }

down() { rm -rf "$scratch" "$record"; }

build_inputs() {
  { cat "$repository/docker/vm/build" "$repository/docker/from-host"; dpkg-query -W 2>/dev/null || true; } |
    sha256sum | cut -d' ' -f1
}

build() {
  local cached=$record.image name
  name=$(build_inputs)
  if [ "$(cat "$cached.name" 2>/dev/null)" != "$name" ]; then
    rm -rf "$cached" "$cached.name"
    "$repository/docker/vm/build" --output "$cached" ||
      give_up "missing: docker/vm/build failed"
    printf '%s\n' "$name" >"$cached.name"
  fi
  cp -r "$cached" "$scratch/image"
}

# Copies the image with hard links; the file to be changed is left out.
copy() {
  mkdir "$scratch/$1"
  ln "$scratch/image"/* "$scratch/$1"
  if [ $# -gt 1 ]; then rm "$scratch/$1/$2"; fi
}
sums() { (cd "$scratch/$1" && rm SHA256SUMS && sha256sum image.json kernel modules.cpio root.qcow2 >SHA256SUMS); }

# An ELF file with a note that states its entry point; the code there halts.
silent_kernel() {
  printf '\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0\x01\0\0\0'
  printf '\x74\0\x10\0\x34\0\0\0\0\0\0\0\0\0\0\0\x34\0\x20\0\x02\0\0\0\0\0\0\0'
  printf '\x01\0\0\0\0\0\0\0\0\0\x10\0\0\0\x10\0\x8c\0\0\0\x8c\0\0\0\x07\0\0\0\0\x10\0\0'
  printf '\x04\0\0\0\x78\0\0\0\x78\0\x10\0\x78\0\x10\0\x14\0\0\0\x14\0\0\0\x04\0\0\0\x04\0\0\0'
  printf '\xf4\xeb\xfd\0\x04\0\0\0\x04\0\0\0\x12\0\0\0Xen\0\x74\0\x10\0'
}

make_unusable_images() {
  copy foreign image.json
  sed 's/"architecture": "[^"]*"/"architecture": "s390x"/' "$scratch/image/image.json" >"$scratch/foreign/image.json"
  sums foreign
  copy silent kernel
  silent_kernel >"$scratch/silent/kernel"
  sums silent
  copy changed kernel
  cat "$scratch/image/kernel" - >"$scratch/changed/kernel" <<<changed
  copy toolless root.qcow2
  qemu-img convert -O raw "$scratch/image/root.qcow2" "$scratch/root.ext4"
  debugfs -w -R 'rm /usr/bin/pgbackrest' "$scratch/root.ext4" 2>/dev/null
  qemu-img convert -O qcow2 "$scratch/root.ext4" "$scratch/toolless/root.qcow2"
  rm "$scratch/root.ext4"
  sums toolless
}

up() {
  down
  [ "$(uname -m)" = x86_64 ] || give_up "impossible: virtual machines require x86_64"
  for tool in qemu-system-x86_64 qemu-img cpio; do
    command -v "$tool" >/dev/null || give_up "missing: $tool is not installed"
  done
  mkdir -p "$scratch"
  if [ -n "${PGREHEARSE_TEST_VM:-}" ]; then
    cp -r "$PGREHEARSE_TEST_VM" "$scratch/image"
  else
    build
  fi
  make_unusable_images
  printf '%s\n' "$scratch/image" >"$record"
}

"$action"
