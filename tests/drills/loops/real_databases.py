#!/usr/bin/env python3
"""Databases that this project did not write pass a drill with all checks: restored, compared exactly and
probed, without a finding.

  regression         the database of PostgreSQL's own regression suite; downloads Debian's source package
                     and compiles the suite's libraries
  schema FILE...     a schema, from files that psql runs in this order; every table gets generated rows

  tests/drills/loops/real_databases.py build/dev/pgrehearse regression
  tests/drills/loops/real_databases.py build/dev/pgrehearse schema structure.sql --name gitlab
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import rich_cluster

SKIPPED = 77
# Every value is a function of the row number n; a foreign key finds its row because all keys are 1 to N.
VALUES = {
    "bool": "n % 2 = 0", "int2": "n", "int4": "n", "int8": "n", "numeric": "n", "float4": "n",
    "float8": "n", "oid": "n", "money": "n::int4::money", "date": "date '2026-01-01' + n",
    "timestamp": "timestamp '2026-01-01' + n * interval '1 hour'",
    "timestamptz": "timestamptz '2026-01-01Z' + n * interval '1 hour'", "time": "time '12:00'",
    "timetz": "timetz '12:00Z'", "interval": "n * interval '1 minute'", "uuid": "md5(n::text)::uuid",
    "json": "json_build_object('k', n)", "jsonb": "jsonb_build_object('k', n)", "xml": "'<a/>'::xml",
    "bytea": "decode(md5(n::text), 'hex')", "inet": "inet '10.0.0.0' + n", "cidr": "'10.0.0.0/8'::cidr",
    "macaddr": "'08:00:2b:01:02:03'::macaddr", "tsvector": "to_tsvector('simple', 'word' || n)",
    "point": "point(n, n)", "box": "box(point(n, n), point(n + 1, n + 1))", "name": "('n' || n)::name",
    "int4range": "int4range(n, n + 1)", "int8range": "int8range(n, n + 1)",
    "daterange": "daterange(date '2026-01-01' + n, date '2026-01-01' + n + 1)",
    "tstzrange": "tstzrange(timestamptz '2026-01-01Z' + n * interval '1 day', null)",
    "bit": "B'1'", "hstore": "hstore('k', n::text)", "citext": "md5(n::text)", "ltree": "('a.b' || n)::ltree"}
COLUMNS = """
select c.oid::regclass, quote_ident(a.attname), coalesce(b.typname, t.typname), t.typtype,
       format_type(a.atttypid, a.atttypmod), a.attnotnull and not a.atthasdef,
       case when coalesce(b.typname, t.typname) in ('varchar', 'bpchar') and
            coalesce(nullif(t.typtypmod, -1), a.atttypmod) > 4
            then coalesce(nullif(t.typtypmod, -1), a.atttypmod) - 4 else 32 end,
       (select quote_literal(min(e.enumlabel)) from pg_enum e where e.enumtypid = coalesce(b.oid, t.oid))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_type b on b.oid = t.typbasetype and t.typtype = 'd'
where c.relkind in ('r', 'p') and not c.relispartition and a.attgenerated = ''
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_t%'
order by c.oid, a.attnum"""


SET_SEQUENCES = """
select setval(d.objid::regclass, 1000000) from pg_depend d join pg_class c on c.oid = d.objid
where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  and c.relkind = 'S' and (select seqmax from pg_sequence where seqrelid = c.oid) >= 1000000"""


def say(text):
    print(text, flush=True)


def value_of(kind, typtype, full, length, label):
    if label:
        return f"{label}::{full}"
    if kind.startswith("_"):
        return f"'{{}}'::{full}"
    if kind in ("text", "varchar", "bpchar"):
        return f"left(md5(n::text), {length})"
    known = VALUES.get(kind)
    return known if known and typtype in "bd" else None


def fill(cluster, database, rows):
    """Triggers and foreign keys do not fire. Columns of unknown types keep their defaults."""
    tables = {}
    for line in cluster.sql(database, COLUMNS).split("\n"):
        table, column, kind, typtype, full, needed, length, label = line.split("|")
        tables.setdefault(table, []).append(
            (column, value_of(kind, typtype, full, length, label), needed == "t"))
    script = ["set session_replication_role = replica;"]
    for table, columns in tables.items():
        for wanted in (lambda column: True, lambda column: column[2]):
            chosen = [column for column in columns if column[1] and wanted(column)]
            if chosen:
                script.append(
                    f"insert into {table} ({', '.join(name for name, _, _ in chosen)}) overriding system "
                    f"value select {', '.join(value for _, value, _ in chosen)} from generate_series(1, "
                    f"{rows}) n where not exists (select from {table}) on conflict do nothing;")
    subprocess.run(["psql", "-Xq", "-d", cluster.dsn(database)], input="\n".join(script), text=True,
                   capture_output=True, check=False)
    cluster.sql(database, SET_SEQUENCES)
    filled = sum(cluster.sql(database, f"select exists (select from {table})") == "t" for table in tables)
    say(f"{database}: {len(tables)} tables, {filled} with rows")


def load(cluster, name, files, rows):
    cluster.sql("postgres", f"create database {name}")
    errors = 0
    for file in files:
        result = subprocess.run(["psql", "-Xq", "-d", cluster.dsn(name), "-f", file], text=True,
                                capture_output=True, check=False)
        errors += result.stderr.count("ERROR:")
        for line in [line for line in result.stderr.split("\n") if "ERROR:" in line][:5]:
            say(f"  {line}")
    say(f"{name}: {len(files)} files, {errors} errors")
    fill(cluster, name, rows)
    # Dead rows, and visibility maps that are not all set.
    cluster.sql(name, "vacuum (analyze)")


def apt_get(options, directory, *arguments):
    result = subprocess.run(["apt-get", "-qq", *options, *arguments], cwd=directory, capture_output=True,
                            text=True, check=False)
    if result.returncode != 0:
        say(f"skipped: apt-get {' '.join(arguments)}: {result.stderr.strip()[-300:]}")
        sys.exit(SKIPPED)


def packages_of_server(root, version):
    """The source of the installed major version, and what postgresql-server-dev-N would install."""
    lists, package = root / "sources.list", root / "package"
    lists.write_text("".join(f"{kind} http://deb.debian.org/debian {suite} main\n" for kind in
                             ("deb", "deb-src") for suite in ("bookworm", "bookworm-updates")),
                     encoding="utf-8")
    options = ["-o", f"Dir::Etc::SourceList={lists}", "-o", "Dir::Etc::SourceParts=/dev/null", "-o",
               f"Dir::State::Lists={root}/lists", "-o", f"Dir::Cache={root}/cache", "-o",
               "APT::Sandbox::User=root"]
    for directory in (root / "lists/partial", root / "cache/archives/partial", package):
        directory.mkdir(parents=True)
    apt_get(options, package, "update")
    apt_get(options, package, "source", f"postgresql-{version}")
    apt_get(options, package, "download", f"postgresql-server-dev-{version}")
    subprocess.run(["dpkg-deb", "-x", next(package.glob("postgresql-server-dev-*.deb")), root / "dev"],
                   check=True)
    return next(path for path in package.iterdir() if path.is_dir()), root / "dev" / "usr"


def build_regression_database(cluster, root, jobs):
    version = cluster.sql("postgres", "show server_version_num")[:2]
    source, developer = packages_of_server(root, version)
    libraries = root / "libraries"
    libraries.mkdir()
    suite = source / "src" / "test" / "regress"
    includes = [f"-I{developer}/include/postgresql/{version}/server", "-I/usr/include/postgresql"]
    for file in (suite / "regress.c", source / "contrib/spi/refint.c", source / "contrib/spi/autoinc.c"):
        subprocess.run(["gcc", "-O1", "-fPIC", "-shared", "-w", *includes, "-o",
                        libraries / f"{file.stem}.so", file], check=True)
    subprocess.run(["chown", "-R", "postgres", root / "package", libraries], check=False)
    cluster.sql("postgres", "alter system set max_prepared_transactions = 4")
    cluster.run("pg_ctl", "restart", "-w", "-D", cluster.data, "-l", cluster.root / "log" / "restart.log")
    result = subprocess.run(
        [cluster.binaries.parent / "lib/pgxs/src/test/regress/pg_regress",
         f"--inputdir={suite}", f"--outputdir={suite}", f"--dlpath={libraries}",
         f"--bindir={cluster.binaries}", f"--schedule={suite}/parallel_schedule",
         f"--host={cluster.sockets}", "--user=postgres", f"--max-concurrent-tests={max(24, jobs)}",
         f"--max-connections={jobs}"],
        cwd=suite, capture_output=True, text=True, check=False, **rich_cluster.as_owner())
    say("\n".join(result.stdout.strip().split("\n")[-6:]))
    cluster.sql("regression", "vacuum (analyze)")


def drill(cluster, options, root):
    scenario = {"name": options.name, "timeout": "30min", "objectives": {"rpo": "1h"},
                "repository": {"type": "pgbackrest", "stanza": rich_cluster.STANZA,
                               "config": str(cluster.configuration)},
                "primary": {"dsn": cluster.dsn(user="pgrehearse")},
                "sandbox": {"type": "local", "directory": str(root / "sandboxes")},
                "checks": ["wal_continuity", "backup_integrity", "page_checksums",
                           {"amcheck": {"parent_check": True}}, "comparison", "row_counts", "databases",
                           "extensions", "sequences", "indexes", "collations", "freshness",
                           "identity", "index_probe", *options.check]}
    file, record = root / "scenario.yaml", root / "report.json"
    file.write_text(json.dumps(scenario), encoding="utf-8")
    result = subprocess.run([options.pgrehearse, "run", file, "--json", record, "--state", root / "state"],
                            capture_output=True, text=True, check=False)
    say(result.stdout + result.stderr)
    return result.returncode


def prepare(cluster, options, root):
    cluster.pgbackrest("stanza-create")
    for statement in ("create role pgrehearse login bypassrls replication",
                      "grant pg_monitor, pg_read_all_data to pgrehearse",
                      "grant execute on function pg_create_restore_point(text), pg_switch_wal() to "
                      "pgrehearse"):
        cluster.sql("postgres", statement)
    if options.what == "regression":
        options.name = "regression"
        build_regression_database(cluster, root, options.jobs)
    else:
        load(cluster, options.name, options.files, options.rows)
    cluster.pgbackrest("--type=full", "backup")
    cluster.sql("postgres", "create table written_after_the_backup as select 1 as n")
    cluster.switch_wal()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("pgrehearse")
    parser.add_argument("what", choices=("regression", "schema"))
    parser.add_argument("files", nargs="*")
    parser.add_argument("--name", default="subject")
    parser.add_argument("--rows", type=int, default=60, help="rows in each table")
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--check", nargs="*", default=[], help="more checks to run")
    parser.add_argument("--directory", default="/var/tmp")
    parser.add_argument("--keep", action="store_true", help="keep all files and the server")
    options = parser.parse_args()
    root = pathlib.Path(tempfile.mkdtemp(prefix="pgr-real-", dir=options.directory))
    root.chmod(0o755)
    (root / "primary").mkdir()
    rich_cluster.give(root / "primary")
    binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        say("skipped: PostgreSQL is not installed")
        return SKIPPED
    cluster = rich_cluster.Cluster(root / "primary", binaries[-1])
    try:
        prepare(cluster, options, root)
        return drill(cluster, options, root)
    finally:
        if options.keep:
            say(f"kept {root}")
        else:
            cluster.remove()
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
