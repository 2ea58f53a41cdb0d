#!/usr/bin/env python3
"""Times a drill and the commands that a careful DBA would type one after another.

Makes a laboratory of at least 1 GB (`pgrehearse demo --keep`), then runs in turn, in one go:
  drill  pgrehearse run with page_checksums, amcheck and row_counts against the primary
  bare   pgbackrest restore; pg_ctl start and wait for the end of recovery; psql counts of every table
         on the copy and on the primary; pg_amcheck; pg_ctl stop; pg_checksums; rm -r
with the same number of processes and the same settings. Prints medians and their ratio; what the
harness itself used (CPU time of its own process, peak of its resident memory) comes from /proc.

As root (the bare commands run as postgres). Nothing is left behind.
"""
import argparse
import ctypes
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
CPUS = os.cpu_count() or 1


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def adopt_orphans():
    """What a child leaves running becomes ours, so that its CPU time is counted when it ends."""
    set_child_subreaper = 36
    if ctypes.CDLL(None, use_errno=True).prctl(set_child_subreaper, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def reap_orphans():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def cpu_of_children():
    times = os.times()
    return times.children_user + times.children_system


class Watched:
    """A process whose own CPU time and peak memory are read while it lives and before it is reaped."""

    def __init__(self, argv, **options):
        self.peak = 0
        began = time.monotonic()
        self.process = subprocess.Popen(argv, **options)
        sampler = threading.Thread(target=self.sample)
        sampler.start()
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        self.seconds = time.monotonic() - began
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        self.own_cpu = (int(fields[11]) + int(fields[12])) / TICKS
        sampler.join()
        self.exit_code = self.process.wait()

    def sample(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status")
        while match := re.search(r"VmHWM:\s+(\d+) kB", status.read_text()):
            self.peak = int(match[1]) * 1024
            time.sleep(0.05)


class Laboratory:
    def __init__(self, binary, directory, size):
        self.binary = binary
        self.state = directory / "state"
        say(f"making a laboratory of size {size}")
        subprocess.run([binary, "demo", "--keep", "--state", self.state, "--size", str(size), "--quiet",
                        "--set", "checks=[databases]"], check=True, stdout=subprocess.DEVNULL)
        self.root = next(self.state.glob("demo-*"))
        self.run_id = self.root.name
        text = (self.root / "demo.yaml").read_text()
        self.stanza = re.search(r"stanza: (\S+)", text)[1]
        self.configuration = re.search(r"config: (\S+)", text)[1]
        self.dsn = re.search(r'dsn: "([^"]+)"', text)[1]
        self.bytes = int(as_postgres("psql", "-XAtc", "select sum(pg_database_size(oid)) from pg_database", self.dsn,
                                     stdout=subprocess.PIPE, text=True).stdout)
        self.scenario = directory / "bench.yaml"
        self.scenario.write_text(text.partition("objectives:")[0].replace("name: demo", "name: bench") + """\
checks:
  - page_checksums
  - amcheck: { heapallindexed: true }
  - row_counts: { against: primary, tolerance: 0% }
""")

    def remove(self):
        subprocess.run([self.binary, "clean", "--kept", "--state", self.state, "--quiet"], check=False,
                       stdout=subprocess.DEVNULL)


def as_postgres(*argv, **options):
    options.setdefault("stdout", subprocess.DEVNULL)
    argv = [str(word) for word in argv]
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *argv],
                          check=True, cwd="/", **options)


COUNTS = """select format('select %L, count(*) from only %s', c.oid::regclass, c.oid::regclass)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and c.relpersistence = 'p' and n.nspname !~ '^(pg_|information_schema$)' \\gexec
"""


def count_all(programs, dsn):
    listed = as_postgres(programs / "psql", "-XAtc", "select datname from pg_database where datallowconn", dsn,
                         stdout=subprocess.PIPE, text=True).stdout.split()
    for database in listed:
        as_postgres(programs / "psql", "-XAtq", f"{dsn} dbname={database}", input=COUNTS, text=True)


def run_bare(lab, programs, directory):
    steps = {}

    def step(name, action):
        began = time.monotonic()
        action()
        steps[name] = time.monotonic() - began

    place = directory / "bare"
    data, sockets, spaces = place / "data", place / "sockets", place / "tablespaces"
    for made in (place, data, sockets, spaces):
        made.mkdir(mode=0o700)
        shutil.chown(made, "postgres", "postgres")
    copy = f"host={sockets} port=5432 user=postgres"

    def start():
        as_postgres(programs / "pg_ctl", "start", "-w", "-t", "600", "-D", data, "-l", place / "log", "-o",
                    f"-c listen_addresses= -c unix_socket_directories={sockets} -c port=5432 -c archive_mode=off "
                    f"-c hba_file={data}/pg_hba.conf -c ident_file={data}/pg_ident.conf")
        while as_postgres(programs / "psql", "-XAtc", "select pg_is_in_recovery()", f"{copy} dbname=postgres",
                          stdout=subprocess.PIPE, text=True).stdout.strip() != "f":
            time.sleep(0.1)

    def count():
        count_all(programs, f"{copy} dbname=postgres")
        count_all(programs, lab.dsn)

    step("pgbackrest restore", lambda: as_postgres(
        "pgbackrest", f"--config={lab.configuration}", f"--stanza={lab.stanza}", f"--pg1-path={data}",
        f"--lock-path={place}/lock", f"--tablespace-map-all={spaces}", "--archive-mode=off",
        f"--process-max={CPUS}", "restore"))
    step("pg_ctl start", start)
    step("psql counts", count)
    step("pg_amcheck", lambda: as_postgres(
        programs / "pg_amcheck", "-h", sockets, "-p", "5432", "-U", "postgres", "--all", "--install-missing",
        "--heapallindexed", f"--jobs={CPUS}"))
    step("pg_ctl stop", lambda: as_postgres(programs / "pg_ctl", "stop", "-w", "-m", "fast", "-D", data))
    step("pg_checksums", lambda: as_postgres(programs / "pg_checksums", "--check", "-D", data))
    step("rm -r", lambda: shutil.rmtree(place))
    return steps


def run_drill(lab, directory):
    report = directory / "report.json"
    cpu = cpu_of_children()
    watched = Watched([lab.binary, "run", lab.scenario, "--state", lab.state, "--quiet", "--json", report],
                      stdout=subprocess.DEVNULL)
    reap_orphans()
    if watched.exit_code != 0:
        sys.exit(f"error: the drill ended with exit code {watched.exit_code}: see {lab.state}/runs")
    phases = {p["name"]: p["seconds"] for p in json.loads(report.read_text())["phases"]}
    return watched, cpu_of_children() - cpu, phases


def table(title, rows):
    print(f"\n{title}")
    for name in rows[0]:
        print(f"  {name:<24}{statistics.median(row[name] for row in rows):8.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/pgrehearse")
    parser.add_argument("--size", type=float, default=16, help="of the laboratory; 16 is enough")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--directory", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("error: the bare commands run as postgres: start this as root")
    programs = pathlib.Path(max(pathlib.Path("/usr/lib/postgresql").glob("*/bin")))
    adopt_orphans()
    directory = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-bench-", dir=options.directory))
    directory.chmod(0o755)
    lab = None
    try:
        lab = Laboratory(options.binary, directory, options.size)
        if lab.bytes < 1 << 30:
            sys.exit(f"error: the laboratory holds {lab.bytes} bytes, less than 1 GB: give a larger --size")
        drills, bares = [], []
        for number in range(options.runs + 1):  # the first of each warms the page cache and does not count
            bares.append(run_bare(lab, programs, directory))
            drills.append(run_drill(lab, directory))
            say(f"round {number}: drill {drills[-1][0].seconds:.1f} s, bare {sum(bares[-1].values()):.1f} s")
        drills, bares = drills[1:], bares[1:]
    finally:
        if lab:
            lab.remove()
        shutil.rmtree(directory, ignore_errors=True)
    drill = statistics.median(watched.seconds for watched, _, _ in drills)
    bare = statistics.median(sum(steps.values()) for steps in bares)
    own = statistics.median(watched.own_cpu / cpu for watched, cpu, _ in drills)
    peak = max(watched.peak for watched, _, _ in drills)
    print(f"databases of {lab.bytes / 1e9:.2f} GB, {CPUS} cores, {len(drills)} runs of each, medians")
    table("bare commands in sequence", bares)
    table("drill", [phases for _, _, phases in drills])
    print(f"\nbare   {bare:.2f} s\ndrill  {drill:.2f} s\nratio  {drill / bare:.2f} (drill / bare; below 1 is faster)")
    print(f"harness's own CPU  {own:.2%} of the drill's\nharness's memory   {peak / (1 << 20):.1f} MB at its peak")


main()
