#!/usr/bin/env python3
"""How long `pgrehearse map` takes on a repository with many WAL files.

Makes the demo's laboratory below --directory, copies segments in its archive to --segments names after
the newest one, with a hole in the middle, and times `pgrehearse map` on it. Removes everything. As
root the laboratory belongs to postgres.

  tests/bench/map_of_many_segments.py --binary build/release/pgrehearse --segments 100000
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time


def name(number):
    return f"00000001{number // 256:08X}{number % 256:08X}"


# ext4 allows 65,000 links to a file.
MOST_LINKS = 50000


def fill(archive, count):
    """Hard links to one archived segment: names are what a listing reads."""
    there = sorted(path for path in archive.glob("*/*") if re.fullmatch(r"[0-9A-F]{24}-.*", path.name))
    newest = there[-1].name
    first = int(newest[8:16], 16) * 256 + int(newest[16:24], 16) + 1
    hole = first + count // 2
    owner = there[0].stat()
    source, links = there[-1], 1
    for number in range(first, first + count):
        if number == hole:
            continue
        directory = archive / name(number)[:16]
        if not directory.exists():
            directory.mkdir(mode=0o750)
            os.chown(directory, owner.st_uid, owner.st_gid)
        link = directory / (name(number) + newest[24:])
        if links == MOST_LINKS:
            shutil.copy2(source, link)
            source, links = link, 1
        else:
            os.link(source, link)
            links += 1
    return name(hole)


def timed(command):
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return time.monotonic() - began, done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", default="build/release/pgrehearse")
    parser.add_argument("--directory", default="/var/tmp")
    parser.add_argument("--segments", type=int, default=100000)
    options = parser.parse_args()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="pgr-map-bench-", dir=options.directory))
    scratch.chmod(0o755)
    common = ["--state", str(scratch / "state")]
    try:
        subprocess.run([options.binary, "demo", "--keep", "--size", "0.02", "--quiet", *common],
                       check=True, stdout=subprocess.DEVNULL)
        scenario = next(scratch.rglob("demo.yaml"))
        archive = next(path for path in scratch.rglob("repository/archive/demo/15-*") if path.is_dir())
        hole = fill(archive, options.segments)
        print(f"load {os.getloadavg()[0]:.1f}, {options.segments} segments, hole at {hole}")
        for extra in ([], ["--no-wal"]):
            seconds, done = timed([options.binary, "map", str(scenario), "--format", "json", *extra, *common])
            drawn = json.loads(done.stdout)["archives"][0]
            gaps = [gap["first"] for line in drawn["timelines"] for gap in line["gaps"]]
            assert gaps == [hole], gaps
            print(f"map {' '.join(extra):9} {seconds:5.1f} s, exit {done.returncode}, "
                  f"{drawn['segments']} segments listed, gaps {gaps}")
    finally:
        subprocess.run([options.binary, "clean", "--kept", *common], check=False,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(scratch, ignore_errors=True)


main()
