"""Compares what two servers return, through every way to the rows: sequential scans of all tables and
catalogs, look-ups of every row through each index, and index-only scans, which use the visibility map.
Independent of the checks of pgrehearse."""
import subprocess

from rich_cluster import sql

COUNTS = """
select n.nspname || '.' || c.relname || '|' || (xpath('/row/c/text()', query_to_xml(
       format('select count(*) as c from %I.%I', n.nspname, c.relname), false, true, '')))[1]::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname in ('app', 'public') and c.relpersistence = 'p'
order by 1"""
TABLES = """
select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname in ('app', 'public', 'pg_catalog')
  and c.relpersistence = 'p' and c.relname not in ('pg_statistic', 'pg_statistic_ext_data', 'events')
order by 1"""
# Settings that differ between the servers, and positions that recovery changes.
VOLATILE = {"pg_class": "- 'relpages' - 'reltuples' - 'relallvisible' - 'relfrozenxid' - 'relminmxid'",
            "pg_database": "- 'datfrozenxid' - 'datminmxid'", "pg_authid": "",
            "pg_replication_origin": ""}
INDEXES = """
select i.indexrelid::regclass, i.indrelid::regclass, am.amname, opc.opcname,
       (select string_agg(quote_ident(a.attname), ',' order by k.n)
        from unnest(i.indkey::int2[]) with ordinality k (attnum, n)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
        where k.n <= i.indnkeyatts),
       coalesce(pg_get_expr(i.indpred, i.indrelid), 'true'),
       (select string_agg(o.indexrelid::regclass::text, ',') from pg_index o
        where o.indrelid = i.indrelid and o.indexrelid <> i.indexrelid)
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am am on am.oid = c.relam
join pg_namespace n on n.oid = c.relnamespace join pg_opclass opc on opc.oid = i.indclass[0]
where c.relkind = 'i' and n.nspname in ('app', 'public', 'pg_catalog') and i.indexprs is null
  and c.relpersistence = 'p' and i.indrelid <> 'pg_statistic'::regclass
order by 1"""
OPERATORS = {"array_ops": "@>", "jsonb_ops": "@>", "jsonb_path_ops": "@>", "box_ops": "~=",
             "quad_point_ops": "~=", "kd_point_ops": "~=", "point_ops": "~="}


def table_query(table):
    drop = VOLATILE.get(table, "")
    return (f"select '{table}', count(*), md5(coalesce(string_agg(t, e'\\n' order by t collate \"C\"), "
            f"'')) from (select (to_jsonb(x) {drop})::text t from {table} x) y")


def index_query(row):
    """Looks every row up by its own key; other indexes are out of reach."""
    index, table, method, opclass, columns, predicate, others = row
    if opclass == "tsvector_ops" or not columns:
        return None
    join = " and ".join(f"t.{column} {OPERATORS.get(opclass, '=')} k.{column}"
                        for column in columns.split(","))
    known = " and ".join(f"{column} is not null" for column in columns.split(","))
    hide = "" if table.startswith("pg_") else (
        f"update pg_index set indisvalid = false where indrelid = '{table}'::regclass and indexrelid "
        f"<> '{index}'::regclass; ")
    del method, others
    return (f"begin; {hide}set local enable_seqscan = off; set local enable_tidscan = off; "
            "set local enable_hashjoin = off; "
            "set local enable_mergejoin = off; set local enable_material = off; "
            f"with k as materialized (select ctid as probe_ctid, * from {table} where ({predicate}) and "
            f"{known}) select '{index}', count(*) from k, lateral (select from {table} t where {join} "
            f"and ({predicate}) and t.ctid = k.probe_ctid) found; rollback")


def count_query(table):
    """An index-only scan where the visibility map allows one."""
    return (f"begin; set local enable_seqscan = off; set local enable_bitmapscan = off; select "
            f"'{table} through an index', count(*) from {table}; rollback")


class AccessPaths:
    def __init__(self, host, databases):
        self.queries = {}
        for database in databases:
            tables = sql(host, database, TABLES).split("\n")
            indexes = [line.split("|") for line in sql(host, database, INDEXES).split("\n")]
            texts = [table_query(table) for table in tables]
            texts += [text for text in map(index_query, indexes) if text]
            texts += [count_query(table) for table in tables if "." in table]
            texts.append("select 'large objects', md5(string_agg(lo_get(oid)::text, ',' order by oid)) "
                         "from pg_largeobject_metadata")
            self.queries[database] = texts
        self.expected = {database: self.answers(host, database)[0] for database in databases}
        for database, answers in self.expected.items():
            for text, answer in zip(self.queries[database], answers):
                if not answer:
                    raise RuntimeError(f"no answer in {database}: {text}")

    def answers(self, host, database):
        """One answer for each query, empty if it failed; and the errors."""
        script = "\n".join(f"\\echo @@\n{text};" for text in self.queries[database])
        result = subprocess.run(["psql", "-XqAt", "-d", f"host={host} user=postgres dbname={database}"],
                                input=script, capture_output=True, text=True, check=False)
        answers = [answer.strip() for answer in result.stdout.split("@@\n")[1:]]
        return answers + [""] * (len(self.queries[database]) - len(answers)), result.stderr

    def difference(self, host):
        """The first difference in words; empty if there is none."""
        for database, expected in self.expected.items():
            found, errors = self.answers(host, database)
            for one, other in zip(expected, found):
                if one != other:
                    return f"{database}: expected {one}, found {other} {errors}"[:400]
        return ""
