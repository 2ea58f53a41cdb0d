#!/usr/bin/env python3
"""What `pgrehearse recover` with several targets costs, on the demo's primary.

  time   recovers to ten transactions in one command, in turn with a recovery to the last of them only.
         The aim: at most 1.3 of its time by medians.
  space  keeps a copy at each of ten transactions, on an xfs file system made in a file (root, mkfs.xfs).
         All answer at the same time. The aim: at most 1.2 of the space of one copy, plus what replay changed
         from one copy to the next.

Exits with 1 when an aim is missed. Removes everything.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/drills/loops"))
import incidents  # noqa: E402

TARGETS = 10
BLOCK = 8192
MOST_TIME = 1.3
MOST_SPACE = 1.2


def say(text):
    print(text, flush=True)


def make_targets(laboratory, megabytes=0):
    laboratory.sql("create table public.work (id int primary key, step int, t text)")
    if megabytes:
        laboratory.sql(f"""create table public.more as select g, repeat(md5(g::text), 30) as t
            from generate_series(1, {megabytes} * 1000) g""")
    laboratory.backup()
    xids = []
    for step in range(1, TARGETS + 1):
        out = laboratory.sql(f"""begin; insert into public.work
            select {step} * 100000 + g, {step}, md5(g::text) from generate_series(1, 20000) g;
            select pg_current_xact_id(); commit; update public.work set t = t || '.' where id % 50 = {step}""")
        xids.append(out.splitlines()[0])
    laboratory.archive_all()
    return xids


def to(xids):
    return [word for xid in xids for word in ("--to", f"xid:{xid}")]


def measure_time(laboratory, options):
    xids = make_targets(laboratory, options.megabytes)
    times = {"one": [], "ten": []}
    for _ in range(options.runs):
        for name, targets in (("one", xids[-1:]), ("ten", xids)):
            began = time.monotonic()
            report = laboratory.json("recover", laboratory.scenario, *to(targets), "--checks", "none")
            times[name].append(time.monotonic() - began)
            landed = [stop["landing"] for stop in report.get("stops", [])] + [report["landing"]]
            assert [str(each["last_applied"]["xid"]) for each in landed] == list(targets), landed
            assert all(each["proved"] for each in landed)
            restores = [phase for phase in report["phases"] if phase["name"] == "restore"]
            assert len(restores) == 1, restores
    one, ten = (statistics.median(times[name]) for name in ("one", "ten"))
    for name, each in times.items():
        say(f"{name} target(s): {', '.join(f'{seconds:.1f}' for seconds in each)} s")
    say(f"medians {one:.1f} and {ten:.1f} s, ratio {ten / one:.2f}; one restore each, every landing proved")
    return ten / one <= MOST_TIME


def used(directory):
    subprocess.run(["sync", "-f", directory], check=True)
    stat = os.statvfs(directory)
    return (stat.f_blocks - stat.f_bfree) * stat.f_frsize


def changed_bytes(before, after):
    """Bytes in blocks of files below `after` that are not the same below `before`."""
    changed = 0
    for path in after.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        other = before / path.relative_to(after)
        old = other.read_bytes() if other.is_file() else b""
        new = path.read_bytes()
        changed += sum(min(BLOCK, len(new) - at) for at in range(0, len(new), BLOCK)
                       if new[at:at + BLOCK] != old[at:at + BLOCK])
    return changed


def keep(laboratory, xids):
    laboratory.run("recover", laboratory.scenario, *to(xids), "--keep", "--checks", "none", "--quiet")
    return laboratory.json("copies")


def position(copy):
    high, low = copy["lsn"].split("/")
    return int(high, 16) << 32 | int(low, 16)


def measure_space(laboratory, options):
    xids = make_targets(laboratory)
    empty = used(options.directory)
    keep(laboratory, xids[-1:])
    one = used(options.directory) - empty
    laboratory.run("copies", "remove")
    empty = used(options.directory)
    copies = sorted(keep(laboratory, xids), key=position)
    ten = used(options.directory) - empty
    answers = [subprocess.run([options.binary, "copies", "connect", copy["run_id"], "shop", "--state", laboratory.state],
                              input="\\pset format unaligned\n\\t on\nselect max(step) from public.work;\n",
                              capture_output=True, text=True, check=True).stdout.split()[-1] for copy in copies]
    assert answers == [str(step) for step in range(1, TARGETS + 1)], answers
    roots = [pathlib.Path(copy["root"]) for copy in copies]
    changed = sum(changed_bytes(before, after) for before, after in zip(roots, roots[1:]))
    say(f"one copy {one / 1e6:.0f} MB, {len(copies)} copies {ten / 1e6:.0f} MB; replay changed {changed / 1e6:.0f} MB "
        f"between them; all {len(answers)} answer, each at its own transaction")
    say(f"(space - changed) / one copy: {(ten - changed) / one:.2f}")
    return ten <= MOST_SPACE * one + changed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["time", "space"])
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/pgrehearse")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=0, help="time: make the database larger by this")
    parser.add_argument("--directory", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="pgr-targets-bench-", dir=options.directory))
    scratch.chmod(0o755)
    image, mounted = scratch / "xfs", scratch / "state"
    laboratory = None
    try:
        mounted.mkdir()
        if options.what == "space":
            with open(image, "wb") as file:
                file.truncate(8 << 30)
            subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True)
            subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
            mounted.chmod(0o755)
            options.directory = mounted
        laboratory = incidents.Laboratory(options.binary, mounted)
        reached = {"time": measure_time, "space": measure_space}[options.what](laboratory, options)
    finally:
        if laboratory:
            laboratory.run("clean", "--kept", codes=(0, 2))
        if options.what == "space":
            subprocess.run(["umount", mounted], check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", scratch], check=False)
    say("the aim is reached" if reached else "the aim is missed")
    return 0 if reached else 1


sys.exit(main())
