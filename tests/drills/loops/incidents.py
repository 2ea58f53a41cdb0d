#!/usr/bin/env python3
"""Rows are lost at random moments under load, and found again.

usage: incidents.py PGREHEARSE [--seeds N] [--seed FIRST] [--directory DIR]

For each seed: a table is dropped, another one truncated and 1 % of a third deleted, in random order,
while clients write. `locate` must name each transaction, `recover --to before:XID` must stop just
before it, and what the copies give back, as a dump or as SQL, must be exactly the lost rows.
Exit code 77 (skipped) without pgBackRest, unless PGREHEARSE_REQUIRE=all.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time


class Laboratory:
    """A demo's primary and repository, and the commands of one state directory."""

    def __init__(self, binary, directory):
        self.binary, self.state = binary, directory / "state"
        self.scratch = directory / "out"
        self.scratch.mkdir(mode=0o755)
        self.run("demo", "--keep", "--size", "0.02", "--set", "checks=[]", "--quiet")
        self.root = next(self.state.glob("demo-*"))
        self.scenario = self.root / "demo.yaml"
        self.sockets = self.root / "sockets"

    def run(self, *arguments, codes=(0,)):
        done = subprocess.run([self.binary, *map(str, arguments), "--state", str(self.state)],
                              capture_output=True, text=True, check=False)
        if done.returncode not in codes:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def json(self, *arguments, codes=(0,)):
        return json.loads(self.run(*arguments, "--format", "json", "--quiet", codes=codes))

    def psql(self, *options, text=None, database="shop"):
        done = subprocess.run(
            ["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-h", str(self.sockets), "-U", "postgres", "-d",
             database, *options], input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def sql(self, text, database="shop"):
        return self.psql(text=text, database=database)

    def pgbackrest(self, *words):
        """Runs it as the account of the repository; returns its output."""
        configuration = next(line.split()[-1] for line in self.scenario.read_text().splitlines()
                             if line.strip().startswith("config:"))
        command = ["pgbackrest", f"--config={configuration}", "--stanza=demo", *map(str, words)]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def backup(self):
        self.pgbackrest("--type=incr", "backup")

    def archive_all(self):
        segment = self.sql("select pg_walfile_name(pg_switch_wal())", "postgres")
        deadline = time.time() + 300
        while time.time() < deadline:
            if self.sql(f"select last_archived_wal >= '{segment}' from pg_stat_archiver", "postgres") == "t":
                return
            time.sleep(0.2)
        raise AssertionError(f"{segment} was not archived")


class Load:
    """Clients that insert into one table and update rows of the one that loses rows."""

    def __init__(self, laboratory, clients):
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(laboratory, n)) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self, laboratory, number):
        count = 0
        while not self.stopped.is_set():
            count += 1
            laboratory.sql(f"""insert into public.load (t) values ('{number} {count}');
                update public.partly set t = t || '.' where id = {random.randrange(1, 3000)};
                insert into public.load (t) select 'bulk' from generate_series(1, 20)""")

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


TABLES = """
create table if not exists public.load (id bigserial primary key, t text);
create table public.gone (id int primary key, t text, n numeric);
create table public.emptied (id int primary key, t text, d date);
create table public.partly (id int primary key, t text);
insert into public.gone select g, E'a\\tb\\n' || g, g / 7.0 from generate_series(1, {rows}) g;
insert into public.emptied select g, nullif('x' || g % 5, 'x0'), date '2026-01-01' + g from generate_series(1, {rows}) g;
insert into public.partly select g, 'row ' || g from generate_series(1, {rows}) g;
"""
CONTENT = "select md5(string_agg(x::text, ',' order by id)) from public.{0} x"


def incident(laboratory, kind, chance):
    """Performs one; returns its transaction and what was lost."""
    change = {"gone": "drop table public.gone", "emptied": "truncate public.emptied",
              "partly": f"delete from public.partly where id % 100 = {chance.randrange(100)}"}[kind]
    condition = change.partition(" where ")[2]
    lost = ("select md5(string_agg(x::text, ',' order by id)) from public.{0} x".format(kind)
            + (f" where {condition}" if condition else ""))
    # The rows that will be deleted are locked first, so that the load cannot change them meanwhile.
    lock = f"select 1 from public.partly where {condition} for update;" if condition else ""
    out = laboratory.sql(f"begin; {lock} {lost}; {change}; select pg_current_xact_id(); commit")
    words = [line for line in out.splitlines() if line and line != "1"]
    return {"kind": kind, "xid": int(words[-1]), "lost": words[-2], "condition": condition}


def check_recovery(laboratory, lost):
    kind, xid = lost["kind"], lost["xid"]
    table = f"shop.public.{kind}"
    question = {"gone": ["--dropped", table], "emptied": ["--truncated", table],
                "partly": ["--deleted-from", table, "--at-least", 10]}[kind]
    found = [each["xid"] for each in laboratory.json("locate", laboratory.scenario, *question)["candidates"]]
    assert found == [xid], f"{kind}: located {found}, not {xid}"
    dump = laboratory.scratch / "gone.dump"
    options = ["--dump", f"{table}={dump}"] if kind == "gone" else ["--keep"]
    report = laboratory.json("recover", laboratory.scenario, "--to", f"before:{xid}", *options)
    landing = report["landing"]
    assert landing["proved"] and landing["first_withheld"]["xid"] == xid, landing
    if kind == "gone":
        script = subprocess.run(["pg_restore", "-f", "-", str(dump)], check=True, capture_output=True, text=True)
        laboratory.sql(script.stdout)
    else:
        others = f"select md5(string_agg(x::text, ',' order by id)) from public.{kind} x where not ({lost['condition'] or 'true'})"
        before = laboratory.sql(others)
        rescue = laboratory.scratch / "lost.sql"
        laboratory.json("copies", "diff", report["id"], "--table", table, "--against", laboratory.scenario, "--sql",
                        rescue, codes=(1,))
        laboratory.psql("-f", str(rescue))
        assert laboratory.sql(others) == before, f"{kind}: other rows changed"
        laboratory.run("copies", "remove", report["id"])
    condition = f" where {lost['condition']}" if lost["condition"] else ""
    now = laboratory.sql(CONTENT.format(kind) + condition)
    assert now == lost["lost"], f"{kind}: the rows are not those that were lost"


def run_seed(laboratory, seed):
    chance = random.Random(seed)
    laboratory.sql("drop table if exists public.gone, public.emptied, public.partly")
    laboratory.sql(TABLES.format(rows=3000))
    laboratory.backup()
    load = Load(laboratory, 3)
    kinds = ["gone", "emptied", "partly"]
    chance.shuffle(kinds)
    try:
        incidents = []
        for kind in kinds:
            time.sleep(chance.uniform(0.1, 1.5))
            # Half of the time the table has another file than in the backup.
            if kind != "gone" and chance.random() < 0.5:
                laboratory.sql(f"vacuum full public.{kind}")
            incidents.append(incident(laboratory, kind, chance))
        time.sleep(chance.uniform(0.1, 0.5))
    finally:
        load.stop()
    laboratory.archive_all()
    for lost in incidents:
        check_recovery(laboratory, lost)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=pathlib.Path, default="/var/tmp")
    arguments = parser.parse_args()
    if not shutil.which("pgbackrest") or not shutil.which("psql"):
        print("pgbackrest or psql is missing")
        return 1 if os.environ.get("PGREHEARSE_REQUIRE") == "all" else 77
    directory = pathlib.Path(tempfile.mkdtemp(prefix="pgrehearse-incidents-", dir=arguments.directory))
    directory.chmod(0o755)
    laboratory = Laboratory(arguments.binary, directory)
    failed = 0
    try:
        for seed in range(arguments.seed, arguments.seed + arguments.seeds):
            began = time.time()
            try:
                run_seed(laboratory, seed)
                print(f"seed {seed}: found and recovered in {time.time() - began:.0f} s", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"seed {seed}: {error}", flush=True)
    finally:
        laboratory.run("clean", "--kept", codes=(0, 2))
        shutil.rmtree(directory, ignore_errors=True)
    print(f"{arguments.seeds - failed} of {arguments.seeds} seeds passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
