#!/usr/bin/env python3
"""Damages one random page or file at a time in a backup of a database with every kind of relation, as
it could have been damaged before the backup: page checksums and the manifest are right. Each is

  detected   the drill fails
  void       it means nothing: nobody reads what was changed, or a restored copy returns the same rows as
             the primary through every access path, compared without the checks
  limit      a known limitation
  missed     the drill passes, and the copy differs
  unknown    the drill could not determine it

Prints one line per damage and a summary; exits with 1 if a damage was missed or unknown.
CTest runs a few; by hand, two hundred:

  tests/drills/loops/random_damages.py --count 200 --seed 7 build/dev/pgrehearse
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading

import access_paths
import page_damage
import rich_cluster

HERE = pathlib.Path(__file__).resolve().parent
FILE_KINDS = ("truncated",)
CLEARED = "only bits of the visibility map were cleared: that costs time, not rows"
RELATIONS = """
select current_database(), n.nspname || '.' || c.relname, c.relkind,
       coalesce(a.amname, ''), c.relpersistence, pg_relation_filepath(c.oid),
       n.nspname in ('pg_catalog', 'information_schema') or n.nspname = 'pg_toast' and c.oid < 16384,
       c.relname like 'pg_largeobject%'
from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_am a on a.oid = c.relam
where pg_relation_filepath(c.oid) is not null"""


def say(text):
    print(text, flush=True)


class Target:
    """One file of a relation: a fork."""

    def __init__(self, row, fork):
        (self.database, self.name, kind, method, persistence, path, catalog, large) = row
        self.fork, self.path = fork, path + ("" if fork == "main" else f"_{fork}")
        self.catalog, self.unlogged = catalog == "t", persistence == "u"
        self.heap = kind in "rtmS" and fork == "main"
        what = {"r": "table", "m": "table", "t": "TOAST table", "S": "sequence"}.get(kind, method)
        if large == "t":
            what = "large object " + what
        elif self.catalog:
            what = "catalog " + what
        elif kind == "i" and self.name.startswith("pg_toast."):
            what = "TOAST index"
        if self.unlogged:
            what = "unlogged " + what
        self.what = what if fork == "main" else {"vm": "visibility map", "fsm": "free space map",
                                                 "init": f"init fork ({what})"}[fork]


class Damages:
    """Chooses damages; every one is of another random kind of relation."""

    def __init__(self, cluster, older, dice):
        self.dice, self.data, self.older = dice, cluster.data, older
        self.groups = collections.defaultdict(list)
        seen = set()
        for database in ("rich", "other"):
            for line in cluster.sql(database, RELATIONS).split("\n"):
                for fork in ("main", "vm", "fsm", "init"):
                    target = Target(line.split("|"), fork)
                    file = self.data / target.path
                    # app.events is written after the backup.
                    if target.path not in seen and file.exists() and file.stat().st_size > 0 and (
                            target.name != "app.events"):
                        self.groups[target.what].append(target)
                        seen.add(target.path)

    @staticmethod
    def pages(file):
        content = file.read_bytes() if file.exists() else b""
        return [content[at:at + page_damage.SIZE] for at in range(0, len(content), page_damage.SIZE)]

    def choose(self):
        while True:
            target = self.dice.choice(self.groups[self.dice.choice(sorted(self.groups))])
            kind = self.dice.choice(page_damage.PAGE_KINDS + FILE_KINDS)
            pages = self.pages(self.data / target.path)
            if kind == "truncated":
                return {"target": target, "kind": kind, "block": len(pages) - 1, "before": pages,
                        "after": pages[:-1], "done": "truncated by one page"}
            block = self.dice.randrange(len(pages))
            older = self.pages(self.older / target.path)
            changed = page_damage.damage_page(kind, pages, older or None, block, self.dice)
            if changed is None or changed[0] == pages[block]:
                continue  # does not apply here
            after = pages[:block] + [changed[0]] + pages[block + 1:]
            return {"target": target, "kind": kind, "block": block, "before": pages, "after": after,
                    "done": changed[1]}


def reason_without_reading(damage):
    """Why nothing could detect it, from the kind of relation and the bytes alone; None if unknown."""
    target = damage["target"]
    if target.fork == "fsm":
        return "the free space map is only a hint"
    if target.unlogged and target.fork != "init":
        return "an unlogged relation is reset by recovery"
    if target.name in ("pg_catalog.pg_statistic", "pg_catalog.pg_statistic_ext_data"):
        return "statistics of the planner are only a hint"
    block = damage["block"]
    if damage["kind"] == "truncated":
        if target.fork == "vm":
            return CLEARED
        return None if any(damage["before"][block]) else "the page had no content"
    before, after = damage["before"][block], damage["after"][block]
    if target.fork == "vm":
        if all(new & ~old == 0 for old, new in zip(before[24:], after[24:])):
            return CLEARED
        return None
    return page_damage.meaningless(before, after, target.heap)


class Loop:
    def __init__(self, options):
        self.options = options
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pgr-damages-", dir=options.directory))
        self.root.chmod(0o755)
        self.lock = threading.Lock()
        self.cluster = rich_cluster.Cluster(self.root / "primary", self.binaries())
        self.tally = collections.Counter()

    def binaries(self):
        (self.root / "primary").mkdir()
        rich_cluster.give(self.root / "primary")
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found:
            sys.exit("PostgreSQL is not installed")
        return found[-1].parent

    def build(self):
        cluster = self.cluster
        cluster.pgbackrest("stanza-create")
        cluster.script(HERE / "rich_cluster.sql", first=1)
        cluster.sql("postgres", "checkpoint")
        older = self.root / "older"
        for part in ("base", "global"):
            shutil.copytree(cluster.data / part, older / part)
        cluster.script(HERE / "rich_cluster.sql", first=0)
        # What reading changes in a page (hint bits) would be logged after the backup as a full page, and
        # its replay would repair the damage.
        access_paths.AccessPaths(cluster.sockets, ("rich", "other"))
        cluster.pgbackrest("--type=full", "backup")
        cluster.sql("rich", "insert into app.events default values")
        cluster.sql("postgres", "checkpoint")
        self.fingerprint = self.root / "fingerprint"
        self.run("fingerprint", "--primary", cluster.dsn(user="pgrehearse"), "--to", self.fingerprint,
                 "--table", "postgres.*=exclude", "--table", "template1.*=exclude")
        counts = {database: {name: int(count) for name, count in
                             (line.rsplit("|", 1) for line in cluster.sql(
                                 database, access_paths.COUNTS).split("\n") if line)}
                  for database in ("rich", "other")}
        self.counts = self.root / "counts.json"
        self.counts.write_text(json.dumps(counts), encoding="utf-8")
        for file in (self.fingerprint, self.counts):
            file.chmod(0o644)
        cluster.switch_wal()
        self.paths = access_paths.AccessPaths(cluster.sockets, ("rich", "other"))
        return Damages(cluster, older, random.Random(self.options.seed))

    def run(self, *arguments, check=True):
        result = subprocess.run([self.options.pgrehearse, *map(str, arguments), "--state",
                                 self.root / "state"], capture_output=True, text=True, check=False)
        if check and result.returncode != 0:
            sys.exit(f"pgrehearse {arguments[0]}: {result.stdout}{result.stderr}")
        return result

    def scenario(self, name, configuration, no_checks):
        checks = ["page_checksums", {"amcheck": {"parent_check": True}},
                  {"comparison": {"against": str(self.fingerprint)}},
                  {"row_counts": {"against": str(self.counts),
                                  "exclude": ["rich.app.events", "rich.app.cache"]}},
                  {"indexes": {"duplicates": True}}, {"index_probe": {"full_pages": 10000}},
                  "sequences", "collations", "databases", "extensions", *self.options.check]
        file = self.root / f"{name}.yaml"
        file.write_text(json.dumps({
            "name": name, "repository": {"type": "pgbackrest", "stanza": rich_cluster.STANZA,
                                         "config": str(configuration)},
            "sandbox": {"type": "local", "directory": str(self.root / "sandboxes")},
            "checks": [] if no_checks else checks}), encoding="utf-8")
        return file

    def drill(self, name, configuration, *options, no_checks=False):
        """The exit code and the report."""
        record = self.root / f"{name}.json"
        file = self.scenario(name, configuration, no_checks)
        result = self.run("run", file, "--json", record, *options, check=False)
        report = json.loads(record.read_text(encoding="utf-8")) if record.exists() else None
        record.unlink(missing_ok=True)
        return result, report

    def try_damage(self, number, damage):
        directory = self.root / f"damage-{number}"
        copy = rich_cluster.BackupCopy(self.cluster, directory)
        target = damage["target"]
        try:
            if copy.contains(target.path):
                copy.replace(target.path, b"".join(damage["after"]))
                result, report = self.drill(f"damage-{number}", copy.configuration)
                outcome, why = self.evaluate(number, damage, copy, result, report)
            else:
                outcome, why = "void", "unlogged relations are not in the backup"
        finally:
            if not self.options.keep:
                shutil.rmtree(directory)
        with self.lock:
            self.tally[outcome] += 1
            say(f"{number:4} {outcome:10} {target.what}: {target.database}.{target.name}"
                f"{'' if target.fork == 'main' else ' ' + target.fork} ({target.path}) block "
                f"{damage['block']} {damage['done']}: {why}")

    def evaluate(self, number, damage, copy, result, report):
        if result.returncode == 1:
            return "detected", codes_of(report)
        if result.returncode != 0:
            return "unknown", (codes_of(report) if report else "") or result.stderr.strip()[:300]
        reason = reason_without_reading(damage)
        if reason:
            return "void", reason
        difference = self.read_copy(number, copy)
        target = damage["target"]
        if not difference and target.fork == "init":
            return "limit", "the relation is empty after recovery: only an insert would read the page"
        if not difference:
            return "void", "every table and every access path returns the same rows"
        name = f"{target.database}.{target.name}"
        if any(finding["code"] == "PGR-PROBE-UNSUPPORTED" and finding["object"] == name
               for check in report["checks"] for finding in check["findings"]):
            return "limit", "index_probe names the index as not probed"
        return "missed", difference

    def read_copy(self, number, copy):
        """What differs in a copy that no check has changed; empty if nothing does."""
        _, report = self.drill(f"damage-{number}-kept", copy.configuration, "--keep", no_checks=True)
        if report is None or not report["sandbox"]["connect"]:
            return "the copy could not be kept"
        words = report["sandbox"]["connect"].split()
        host = words[words.index("-h") + 1].strip("'")
        try:
            rich_cluster.sql(host, "postgres", "select pg_promote()")
            return self.paths.difference(host)
        finally:
            self.run("clean", report["id"], check=False)

    def main(self):
        try:
            damages = self.build()
            result, report = self.drill("control", self.cluster.configuration)
            say(f"seed {self.options.seed}; without damage: exit code {result.returncode} "
                f"{codes_of(report) if report else result.stderr}")
            chosen = [damages.choose() for _ in range(self.options.count)]
            numbers = self.options.only or range(1, self.options.count + 1)
            with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
                list(pool.map(lambda number: self.try_damage(number, chosen[number - 1]), numbers))
        finally:
            if not self.options.keep:
                self.cluster.remove()
                shutil.rmtree(self.root, ignore_errors=True)
        say(f"{len(list(numbers))} damages: " +
            ", ".join(f"{count} {outcome}" for outcome, count in sorted(self.tally.items())))
        sound = result.returncode == 0 and not self.tally["missed"] and not self.tally["unknown"]
        return 0 if sound else 1


def codes_of(report):
    found = collections.Counter(
        f"{check['name']} {finding['code']}" for check in report["checks"]
        if check["verdict"] in ("fail", "unknown") for finding in check["findings"]
        if finding["severity"] != "note")
    if not found and report["diagnosis"].get("code"):
        return f"{report['diagnosis']['code']}: {report['diagnosis']['summary'][:160]}"
    return ", ".join(sorted(found))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("pgrehearse")
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="+", help="numbers of damages to repeat")
    parser.add_argument("--check", nargs="*", default=[], help="more checks to run")
    parser.add_argument("--keep", action="store_true", help="keep all files")
    parser.add_argument("--directory", default="/dev/shm" if pathlib.Path("/dev/shm").is_dir()
                        and shutil.disk_usage("/dev/shm").free > 2 << 30 else "/var/tmp")
    return Loop(parser.parse_args()).main()


if __name__ == "__main__":
    sys.exit(main())
