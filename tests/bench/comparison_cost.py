#!/usr/bin/env python3
"""What exact comparison costs the primary, in time, blocks and memory. Four measurements:

  sample    blocks that a 1 % sample of a large table reads, compared with a full fingerprint, and whether
            damage injected on the disk in a sampled block is found
  small     fingerprint and comparison of many small tables, compared with one psql process per table
  parallel  hashing with one and with two connections, in turn
  memory    peak of resident memory with 100,000 relations, on both sides of the comparison

Makes a PostgreSQL cluster below --directory, on a unix socket only, and removes it. Run it on a quiet
machine; the load is printed with the numbers. As root the server runs as postgres.

  ninja -C build/release pgrehearse compare_with_file
  tests/bench/comparison_cost.py sample --directory /var/tmp
"""
import argparse
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def say(text):
    print(text, flush=True)


def account():
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


class Server:
    """A cluster that is stopped and removed at the end."""

    def __init__(self, binaries, directory, settings):
        self.binaries = binaries
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="pgr-bench-", dir=directory))
        owner = account()
        if owner:
            os.chown(self.root, owner.pw_uid, owner.pw_gid)
        self.data = self.root / "data"
        self.run("initdb", "--pgdata", self.data, "--username=postgres", "--auth=trust", "--no-sync",
                 "--no-locale", "--encoding=UTF8")
        lines = {"listen_addresses": "''", "unix_socket_directories": f"'{self.root}'",
                 "fsync": "off", "full_page_writes": "off", "autovacuum": "off",
                 "max_wal_size": "4GB", "max_connections": "20", "jit": "off", **settings}
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as file:
            file.writelines(f"{name} = {value}\n" for name, value in lines.items())
        self.start()

    def run(self, program, *arguments):
        owner = account()
        subprocess.run([self.binaries / program, *map(str, arguments)], check=True, cwd=self.root,
                       stdout=subprocess.DEVNULL,
                       **({"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
                          if owner else {}))

    def start(self):
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.root / "log")

    def stop(self, mode="fast"):
        self.run("pg_ctl", "stop", "-w", "-m", mode, "-D", self.data)

    def dsn(self, database="postgres"):
        return f"host={self.root} user=postgres dbname={database}"

    def sql(self, database, *statements):
        """The last statement's rows, unaligned."""
        arguments = [part for statement in statements for part in ("-c", statement)]
        result = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.dsn(database),
                                 *arguments], check=True, capture_output=True, text=True)
        return result.stdout.strip()

    def remove(self):
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop("immediate")
        shutil.rmtree(self.root, ignore_errors=True)


class Tools:
    def __init__(self, build):
        self.pgrehearse = build / "pgrehearse"
        self.comparer = build / "tests" / "bench" / "compare_with_file"

    def fingerprint(self, server, file, *options, database="subject"):
        """Seconds, peak kB of resident memory, and the summary; of one database alone."""
        began = time.monotonic()
        process = subprocess.Popen(
            [self.pgrehearse, "fingerprint", "--primary", server.dsn(database), "--to", file,
             "--format", "json", "--allow-inexact", "--table", "postgres.*=exclude",
             "--table", "template1.*=exclude", "--table", "copy.*=exclude", *options],
            stdout=subprocess.PIPE)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"fingerprint ended with {process.returncode}: {output.decode()}")
        return time.monotonic() - began, usage.ru_maxrss, json.loads(output)

    def compare(self, server, file, database="copy", connections=2):
        result = subprocess.run([self.comparer, file, server.dsn(), database, str(connections)],
                                check=True, capture_output=True)
        return json.loads(result.stdout)


def content_findings(result):
    """Differences of content; the list of databases differs by the copy itself."""
    return [f"{found['code']} {found['object']}" for found in result["findings"]
            if "CATALOG" not in found["code"]]


def blocks_read(server):
    """Of the table and its TOAST table, since the statistics were last reset."""
    return int(server.sql("subject", "select heap_blks_read + heap_blks_hit + "
                          "coalesce(toast_blks_read + toast_blks_hit, 0) "
                          "from pg_statio_user_tables where relname = 'large'"))


def make_large(server, gigabytes):
    server.sql("postgres", "create database subject")
    rows = int(gigabytes * 1024 ** 3 / 8192 * 7)  # seven rows a block
    server.sql("subject", "create table large (id bigint, filler text)",
               "insert into large select g, md5(g::text) || repeat(md5((-g)::text), 33) "
               f"from generate_series(1, {rows}) g", "vacuum (analyze) large", "checkpoint")
    size = int(server.sql("subject", "select pg_relation_size('large')"))
    say(f"a table of {size / 1024 ** 3:.2f} GB, {size // 8192} blocks, {rows} rows")
    return size


def inject(server, sampled, header):
    """Changes one byte of a row on the disk, in a block that the sample reads, or in another."""
    sample = f"tablesample system ({header['sample']}) repeatable ({header['seed']})"
    where = "in" if sampled else "not in"
    row = server.sql("copy", f"select ctid, id from large where ctid {where} (select ctid from large "
                     f"{sample}) and id % 7 = 3 order by random() limit 1")
    ctid, number = row.split("|")
    block = int(ctid.strip("()").split(",")[0])
    path = server.sql("copy", "select pg_relation_filepath('large')")
    text = server.sql("copy", f"select filler from large where id = {number}").encode()
    server.stop()
    blocks_a_file = 131072
    file = server.data / (path if block < blocks_a_file else f"{path}.{block // blocks_a_file}")
    with open(file, "r+b") as handle:
        handle.seek(block % blocks_a_file * 8192)
        page = handle.read(8192)
        at = page.index(text[:64]) + 700
        handle.seek(block % blocks_a_file * 8192 + at)
        handle.write(b"g" if page[at:at + 1] != b"g" else b"h")
    server.start()
    return block


def measure_sample(server, tools, options):
    make_large(server, options.gigabytes)
    server.sql("postgres", "create database copy template subject")
    file = server.root / "primary.fingerprint"

    def cost(*arguments):
        server.sql("subject", "select pg_stat_reset()")
        seconds, _, _ = tools.fingerprint(server, file, *arguments)
        return blocks_read(server), seconds

    full, full_seconds = cost()
    sampled, sampled_seconds = cost("--sample", "1%")
    say(f"full: {full} blocks, {full_seconds:.1f} s; sample of 1 %: {sampled} blocks, "
        f"{sampled_seconds:.2f} s; {100 * sampled / full:.2f} % of the blocks")
    header = json.loads(open(file, encoding="utf-8").readline())
    clean = content_findings(tools.compare(server, file))
    say(f"the copy, untouched: {clean or 'no difference'}")
    block = inject(server, False, header)
    say(f"one byte of block {block}, which is not sampled: "
        f"{content_findings(tools.compare(server, file)) or 'no difference'}")
    block = inject(server, True, header)
    found = content_findings(tools.compare(server, file))
    say(f"one byte of block {block}, which is sampled: {found}")
    return sampled < 0.03 * full and not clean and found == ["PGR-COMPARE-CONTENT subject.public.large"]


def make_small(server, tables, rows=20):
    server.sql("postgres", "create database subject")
    for first in range(1, tables + 1, 1000):
        last = min(first + 999, tables)
        server.sql("subject", f"""do $$ begin for i in {first}..{last} loop
          execute format('create table t%s as select g as id, md5(g::text) as v '
                         'from generate_series(1, {rows}) g', i);
          end loop; end $$""")
    say(f"{tables} tables of {rows} rows each")


def measure_small(server, tools, options):
    make_small(server, options.tables)
    server.sql("postgres", "create database copy template subject", "checkpoint")
    file = server.root / "primary.fingerprint"
    began = time.monotonic()
    asked = range(1, options.tables + 1, options.every)
    for number in asked:
        # The program itself: Debian's wrapper around it takes longer than the query.
        subprocess.run([options.binaries / "psql", "-XqAt", server.dsn("subject"), "-c",
                        "select count(*), sum(hashtextextended(t::text, 0)) "
                        f"from public.t{number} t"], check=True, stdout=subprocess.DEVNULL)
    one_by_one = (time.monotonic() - began) / len(asked) * options.tables
    taken, _, _ = tools.fingerprint(server, file)
    compared = tools.compare(server, file)
    both = taken + compared["seconds"]
    how = "measured" if options.every == 1 else f"extrapolated from {len(asked)} tables"
    say(f"one psql a table, one side: {one_by_one:.1f} s ({how})")
    say(f"fingerprint {taken:.1f} s + comparison {compared['seconds']:.1f} s = {both:.1f} s for both "
        f"sides with catalog; {one_by_one / both:.1f} times faster")
    say(f"{compared['relations']} relations compared, {content_findings(compared) or 'no difference'}")
    return both < one_by_one / 5


def measure_parallel(server, tools, options):
    server.sql("postgres", "create database subject")
    for number in range(options.parts):
        server.sql("subject", f"create table part{number} as select g as id, md5(g::text) as a, "
                   f"g * 1.5 as b, now() as c from generate_series(1, {options.rows}) g")
    server.sql("subject", "vacuum analyze", "checkpoint")
    file = server.root / "primary.fingerprint"
    tools.fingerprint(server, file)  # everything is in memory from here on
    seconds = {1: [], 2: []}
    for _ in range(options.rounds):
        for connections, measured in seconds.items():
            measured.append(tools.fingerprint(server, file, "--connections", str(connections))[0])
    medians = {count: statistics.median(values) for count, values in seconds.items()}
    for count, values in seconds.items():
        say(f"{count} connection(s): {', '.join(f'{value:.2f}' for value in values)} s, "
            f"median {medians[count]:.2f}, best {min(values):.2f}")
    say(f"speed-up: {medians[1] / medians[2]:.2f} by medians, "
        f"{min(seconds[1]) / min(seconds[2]):.2f} by the best of each")
    return medians[1] / medians[2] >= 1.8


def measure_memory(server, tools, options):
    make_small(server, options.relations, rows=1)
    file = server.root / "primary.fingerprint"
    seconds, peak, summary = tools.fingerprint(server, file)
    say(f"fingerprint: {summary['relations']} relations, {seconds:.1f} s, "
        f"peak {peak / 1024:.1f} MB, file {os.path.getsize(file) / 1024 ** 2:.1f} MB")
    compared = tools.compare(server, file, database="subject")
    say(f"comparison: {compared['relations']} relations, {compared['seconds']:.1f} s, "
        f"peak {compared['peak_kb'] / 1024:.1f} MB, "
        f"{content_findings(compared) or 'no difference'}")
    return max(peak, compared["peak_kb"]) < 100 * 1024


MEASUREMENTS = {"sample": measure_sample, "small": measure_small, "parallel": measure_parallel,
                "memory": measure_memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measurement", choices=MEASUREMENTS)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release")
    parser.add_argument("--directory", default=tempfile.gettempdir(), help="where the cluster is made")
    parser.add_argument("--binaries", type=pathlib.Path,
                        default=pathlib.Path("/usr/lib/postgresql/15/bin"))
    parser.add_argument("--gigabytes", type=float, default=2.1, help="of sample's table")
    parser.add_argument("--tables", type=int, default=20000, help="of small")
    parser.add_argument("--every", type=int, default=1, help="ask one table in so many with psql")
    parser.add_argument("--relations", type=int, default=100000, help="of memory")
    parser.add_argument("--parts", type=int, default=8, help="tables of parallel")
    parser.add_argument("--rows", type=int, default=400000, help="in each of them")
    parser.add_argument("--rounds", type=int, default=5, help="of parallel")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    settings = {"shared_buffers": "1GB", "max_locks_per_transaction": "1024"}
    say(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    server = Server(options.binaries, options.directory, settings)
    try:
        reached = MEASUREMENTS[options.measurement](server, Tools(options.build), options)
    finally:
        server.remove()
    say(f"load after: {os.getloadavg()[0]:.1f}; the aim is {'reached' if reached else 'MISSED'}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
