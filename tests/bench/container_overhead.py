#!/usr/bin/env python3
"""What a container adds to a drill: the demo database, drilled with sandbox.type local and docker.

Makes the demo's laboratory (`pgrehearse demo --keep`), then runs the demo's own scenario in turn in both
places, in one go. Prints medians in seconds, the difference and the ratio, and each phase. The engine is the
one that DOCKER_HOST or --engine names, with the image pgrehearse:<major> (docker/from-host).

Exits with 1 when the container adds 5 seconds or more, or 10 % or more. As root or with the right to use
the engine's socket. The laboratory is removed at the end.
"""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_SECONDS = 5.0
MOST_RATIO = 1.10


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def drill(binary, scenario, directory, settings):
    report = directory / "report.json"
    sets = [word for setting in settings for word in ("--set", setting)]
    began = time.monotonic()
    done = subprocess.run([binary, "run", scenario, "--state", directory / "state", "--quiet", "--json", report,
                           *sets], check=False, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        sys.exit(f"error: the drill ended with exit code {done.returncode}: see {directory}/state/runs")
    phases = {}
    for phase in json.loads(report.read_text())["phases"]:
        phases[phase["name"]] = phases.get(phase["name"], 0.0) + phase["seconds"]
    return seconds, phases


def median_of(runs, phase):
    return statistics.median(phases.get(phase, 0.0) for _, phases in runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/pgrehearse")
    parser.add_argument("--type", choices=["docker", "podman"], default="docker")
    parser.add_argument("--engine", help="address of the engine; default: as its own client finds it")
    parser.add_argument("--size", type=float, default=1, help="of the laboratory; 1 is the demo's")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--directory", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    options = parser.parse_args()
    inside = [f"sandbox.type={options.type}"]
    if options.engine:
        inside.append(f"sandbox.engine={options.engine}")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-bench-", dir=options.directory))
    directory.chmod(0o755)
    kept = False
    local, container = [], []
    try:
        say(f"making a laboratory of size {options.size}")
        kept = True
        subprocess.run([options.binary, "demo", "--keep", "--state", directory / "state", "--size",
                        str(options.size), "--quiet", "--set", "checks=[databases]"], check=True,
                       stdout=subprocess.DEVNULL)
        scenario = next((directory / "state").glob("demo-*")) / "demo.yaml"
        for number in range(options.runs + 1):  # the first of each warms the page cache and does not count
            local.append(drill(options.binary, scenario, directory, []))
            container.append(drill(options.binary, scenario, directory, inside))
            say(f"round {number}: local {local[-1][0]:.2f} s, {options.type} {container[-1][0]:.2f} s")
        local, container = local[1:], container[1:]
    finally:
        if kept:
            subprocess.run([options.binary, "clean", "--kept", "--state", directory / "state", "--quiet"],
                           check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(directory, ignore_errors=True)
    names = list(dict.fromkeys(name for _, phases in local + container for name in phases))
    print(f"{len(local)} runs of each in turn, medians, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print(f"  {'phase':<24}{'local':>9}{options.type:>9}")
    for name in names:
        print(f"  {name:<24}{median_of(local, name):>8.2f}s{median_of(container, name):>8.2f}s")
    here = statistics.median(seconds for seconds, _ in local)
    there = statistics.median(seconds for seconds, _ in container)
    print(f"\n  {'whole drill':<24}{here:>8.2f}s{there:>8.2f}s")
    print(f"\n{options.type} adds {there - here:.2f} s; ratio {there / here:.3f}")
    if there - here >= MOST_SECONDS or there / here >= MOST_RATIO:
        sys.exit(f"error: more than {MOST_SECONDS:.0f} s or {MOST_RATIO - 1:.0%}")


main()
