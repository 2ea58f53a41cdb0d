#!/usr/bin/env python3
"""What `pgrehearse locate` costs, on the demo's primary with much WAL after its backup.

  pass   searches --gigabytes of archived WAL for a dropped table and for deleted rows. In turn with one
         pass of pg_waldump over the same segments, already fetched from the archive, output to /dev/null.
         The aim: at most 1.3 of that pass by medians, and memory that does not grow with the range.
  when   `locate --when` over --commits transactions, one of which made the query untrue. The aim: exactly
         that transaction.

Exits with 1 when an aim is missed. Removes everything.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/drills/loops"))
import incidents  # noqa: E402

MOST_RATIO = 1.3
MOST_MEMORY = 200 << 20
SEGMENT = 16 << 20
PER_LOG = (1 << 32) // SEGMENT

LOAD = """
truncate public.load;
insert into public.load select g, 'row ' || g, g % 1000 from generate_series(1, 250000) g;
update public.load set t = t || '.' where id % 10 = 0;
delete from public.load where id % 97 = 0;
"""


def say(text):
    print(text, flush=True)


def timed(command, **options):
    """Seconds, the peak of resident memory in bytes, the output and the exit code."""
    began = time.monotonic()
    with subprocess.Popen([*map(str, command)], text=True, **options) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_maxrss * 1024, output, process.returncode


def segment_name(number):
    return f"00000001{number // PER_LOG:08X}{number % PER_LOG:08X}"


def number_of(name):
    return int(name[8:16], 16) * PER_LOG + int(name[16:24], 16)


class Bench:
    def __init__(self, options):
        self.options = options
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="pgr-locate-bench-", dir=options.directory))
        self.directory.chmod(0o755)
        self.laboratory = incidents.Laboratory(options.binary, self.directory)

    def remove(self):
        self.laboratory.run("clean", "--kept", codes=(0, 2))
        shutil.rmtree(self.directory, ignore_errors=True)

    def locate(self, *question):
        command = [self.options.binary, "locate", self.laboratory.scenario, *question, "--format", "json",
                   "--quiet", "--state", self.laboratory.state]
        seconds, memory, output, code = timed(command, stdout=subprocess.PIPE)
        if code != 0:
            sys.exit(f"error: locate ended with exit code {code}")
        return seconds, memory, json.loads(output)

    def make_wal(self):
        """Returns the transactions that dropped a table and deleted rows."""
        sql = self.laboratory.sql
        sql("create table public.gone (id int); insert into public.gone values (1);"
            "create table public.partly (id int primary key, t text);"
            "insert into public.partly select g, 'row' from generate_series(1, 10000) g;"
            "create table public.load (id int primary key, t text, n int); create index on public.load (n)")
        self.laboratory.backup()
        wanted = self.options.gigabytes * (1 << 30)
        begin = int(sql("select pg_current_wal_lsn() - '0/0'"))
        half = None
        while True:
            sql(LOAD)
            done = int(sql("select pg_current_wal_lsn() - '0/0'")) - begin
            if half is None and done >= wanted / 2:
                half = (int(sql("begin; drop table public.gone; select pg_current_xact_id(); commit")),
                        int(sql("begin; delete from public.partly where id % 100 = 7;"
                                "select pg_current_xact_id(); commit")))
            if done >= wanted:
                return half

    def fetch(self):
        """All archived segments from the newest backup's on; returns the directory and their names."""
        pgbackrest = self.laboratory.pgbackrest
        info = json.loads(pgbackrest("info", "--output=json"))[0]
        first = number_of(info["backup"][-1]["archive"]["start"])
        last = number_of(info["archive"][-1]["max"])
        directory = self.directory / "fetched"
        directory.mkdir()
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        names = [segment_name(number) for number in range(first, last + 1)]
        for name in names:
            pgbackrest("archive-get", name, directory / name)
        return directory, names


def measure_pass(bench):
    options = bench.options
    dropped, deleted = bench.make_wal()
    bench.laboratory.archive_all()
    directory, names = bench.fetch()
    say(f"{len(names)} segments, {len(names) * SEGMENT / 1e9:.1f} GB, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}")
    binaries = bench.laboratory.sql("select setting from pg_config where name = 'BINDIR'")
    waldump = [pathlib.Path(binaries) / "pg_waldump", "--path", directory, names[0], names[-1]]
    questions = {"dropped": (["--dropped", "shop.public.gone"], dropped),
                 "deleted-from": (["--deleted-from", "shop.public.partly", "--at-least", "50"], deleted)}
    questions = {name: questions[name] for name in options.questions}
    times = {name: [] for name in ("pg_waldump", *questions)}
    memory = 0
    for _ in range(options.runs):
        times["pg_waldump"].append(timed(waldump, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)[0])
        for name, (question, xid) in questions.items():
            seconds, peak, found = bench.locate(*question)
            assert [each["xid"] for each in found["candidates"]] == [xid], (name, xid, found)
            times[name].append(seconds)
            memory = max(memory, peak)
    medians = {name: statistics.median(each) for name, each in times.items()}
    worst = 0
    for name, each in times.items():
        ratio = medians[name] / medians["pg_waldump"]
        worst = max(worst, ratio)
        say(f"{name:13} {', '.join(f'{seconds:.1f}' for seconds in each)} s, median {medians[name]:.1f}, "
            f"ratio {ratio:.2f}")
    say(f"memory of locate: {memory / 1e6:.0f} MB at its peak")
    return worst <= MOST_RATIO and memory <= MOST_MEMORY


def measure_when(bench):
    count = bench.options.commits
    chosen = random.Random(bench.options.seed).randrange(count // 10, count)
    bench.laboratory.sql(
        "create table public.account (id int primary key, balance int);"
        "insert into public.account select g, 0 from generate_series(1, 1000) g;"
        "create table public.noted (xid xid8)")
    bench.laboratory.backup()
    bench.laboratory.sql(f"""
        do $$ begin
          for i in 1..{count} loop
            if i = {chosen} then
              insert into public.noted select pg_current_xact_id();
              update public.account set balance = -1 where id = 77;
            else
              update public.account set balance = balance + 1 where id = 1 + i % 1000 and id <> 77;
              insert into public.noted select null where i % 1000 = 76;
            end if;
            commit;
          end loop;
        end $$""")
    xid = int(bench.laboratory.sql("select xid from public.noted where xid is not null"))
    bench.laboratory.archive_all()
    seconds, _, found = bench.locate("--database", "shop", "--when",
                                     "select balance >= 0 from public.account where id = 77")
    say(f"{found['commits']} transactions, {found['trials']} evaluations of the query, {seconds:.1f} s: "
        f"transaction {found['xid']}, expected {xid} (number {chosen} of {count})")
    return found["xid"] == xid and found["commits"] >= count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["pass", "when"])
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/pgrehearse")
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--questions", nargs="+", choices=["dropped", "deleted-from"],
                        default=["dropped", "deleted-from"])
    parser.add_argument("--commits", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--directory", type=pathlib.Path, default=pathlib.Path("/var/tmp"))
    options = parser.parse_args()
    bench = Bench(options)
    try:
        reached = {"pass": measure_pass, "when": measure_when}[options.what](bench)
    finally:
        bench.remove()
    say("the aim is reached" if reached else "the aim is missed")
    return 0 if reached else 1


sys.exit(main())
