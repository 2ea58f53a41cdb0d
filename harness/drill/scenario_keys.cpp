#include "harness/drill/scenario_keys.hpp"

#include <array>

namespace pgrehearse {

namespace {

constexpr std::array<std::string_view, 1> repository_types{"pgbackrest"};
constexpr std::array<std::string_view, 1> sandbox_types{"local"};

constexpr std::array<std::string_view, 2> preferred_members{"primary", "standby"};

constexpr auto repository = std::to_array<KeyDescription>({
    {.name = "type",
     .kind = KeyKind::choice,
     .summary = "the tool that made the backups",
     .example = "pgbackrest",
     .default_value = "pgbackrest",
     .choices = repository_types},
    {.name = "stanza",
     .summary = "pgBackRest's name of the cluster",
     .example = "orders",
     .required = true},
    {.name = "config",
     .kind = KeyKind::absolute_path,
     .summary = "pgBackRest's configuration file",
     .example = "/etc/pgbackrest/pgbackrest.conf",
     .default_value = "pgBackRest's own"},
    {.name = "binary",
     .summary = "name or path of pgbackrest, or of a fork that reads its repositories",
     .example = "/usr/bin/pgbackrest",
     .default_value = "pgbackrest"},
    {.name = "repo",
     .kind = KeyKind::integer,
     .summary = "number of the repository where the stanza has several",
     .example = "2",
     .default_value = "pgBackRest's choice"},
    {.name = "backup",
     .summary = "the set to restore: latest (the newest that fits recover_to), oldest, or a label",
     .example = "20261120-030000F",
     .default_value = "latest"},
});

constexpr auto patroni = std::to_array<KeyDescription>({
    {.name = "urls",
     .kind = KeyKind::text_list,
     .summary = "Patroni's REST API on some or all members; the first that answers is believed",
     .example = "[https://db1:8008, https://db2:8008]",
     .required = true},
    {.name = "cluster",
     .summary = "name (scope) of the cluster; the drill's primary is never one of another cluster",
     .example = "orders",
     .default_value = "not compared"},
    {.name = "ca",
     .kind = KeyKind::absolute_path,
     .summary = "certificates that the REST API's one must come from, PEM",
     .example = "/etc/pgrehearse/patroni-ca.crt",
     .default_value = "the system's"},
    {.name = "certificate",
     .kind = KeyKind::absolute_path,
     .summary = "client certificate for the REST API, PEM",
     .example = "/etc/pgrehearse/client.crt"},
    {.name = "key",
     .kind = KeyKind::absolute_path,
     .summary = "private key of the client certificate, PEM",
     .example = "/etc/pgrehearse/client.key",
     .default_value = "in the certificate's file"},
    {.name = "username",
     .summary = "basic authentication at the REST API",
     .example = "pgrehearse"},
    {.name = "password",
     .summary = "basic authentication at the REST API; from the environment",
     .example = "${PATRONI_PASSWORD}"},
});

constexpr auto primary = std::to_array<KeyDescription>({
    {.name = "dsn",
     .summary = "libpq connection string of the production server; only read. Names one host or "
                "several, beside patroni none. Keep passwords in ~/.pgpass or in ${NAME}",
     .example = "\"dbname=postgres user=pgrehearse\"",
     .default_value = "required without patroni"},
    {.name = "patroni",
     .kind = KeyKind::section,
     .summary = "ask Patroni for the server",
     .children = patroni},
    {.name = "prefer",
     .kind = KeyKind::choice,
     .summary = "primary: only the server that writes; standby: spare it where a standby will do",
     .example = "standby",
     .default_value = "primary with patroni, else what the dsn leads to",
     .choices = preferred_members},
    {.name = "max_lag",
     .kind = KeyKind::bytes,
     .summary = "how far behind a preferred standby may be; needs patroni",
     .example = "16MB",
     .default_value = "any"},
    {.name = "patience",
     .kind = KeyKind::duration,
     .summary = "how long to wait for a new primary while a failover is under way",
     .example = "2min",
     .default_value = "1min with patroni or target_session_attrs, else 0s"},
});

constexpr auto sandbox = std::to_array<KeyDescription>({
    {.name = "type",
     .kind = KeyKind::choice,
     .summary = "where the instance lives",
     .example = "local",
     .default_value = "local",
     .choices = sandbox_types},
    {.name = "directory",
     .kind = KeyKind::absolute_path,
     .summary = "where sandboxes are made; needs room for the restored cluster",
     .example = "/var/lib/pgrehearse",
     .default_value = "the state directory"},
    {.name = "run_as",
     .summary = "operating system account of PostgreSQL and pgBackRest, when started by root",
     .example = "postgres",
     .default_value = "postgres for root, else the account that runs pgrehearse"},
    {.name = "memory",
     .kind = KeyKind::bytes,
     .summary = "memory that the instance may plan with",
     .example = "2GB",
     .default_value = "a quarter of the host's"},
    {.name = "cpus",
     .kind = KeyKind::integer,
     .summary = "processors that restore, instance and checks may use; 0: all",
     .example = "4",
     .default_value = "0"},
    {.name = "superuser",
     .summary = "superuser role of the restored cluster",
     .example = "postgres",
     .default_value = "postgres"},
    {.name = "binaries",
     .kind = KeyKind::absolute_path,
     .summary = "directory of PostgreSQL's programs",
     .example = "/usr/lib/postgresql/15/bin",
     .default_value = "found for the backup's major version"},
});

constexpr auto recovery_target = std::to_array<KeyDescription>({
    {.name = "latest",
     .kind = KeyKind::boolean,
     .summary = "to the end of the archive",
     .example = "true"},
    {.name = "immediate",
     .kind = KeyKind::boolean,
     .summary = "as soon as the backup is consistent",
     .example = "true"},
    {.name = "time",
     .summary = "to the last transaction committed by then; with a time zone",
     .example = "\"2026-11-20 03:00:00+00\""},
    {.name = "lsn", .summary = "to a position in the WAL", .example = "0/5000028"},
    {.name = "xid", .summary = "to the commit of a transaction", .example = "743"},
    {.name = "name",
     .summary = "to a restore point made by pg_create_restore_point",
     .example = "before_release"},
    {.name = "exclusive",
     .kind = KeyKind::boolean,
     .summary = "stop just before the target instead of just after; with time, lsn or xid",
     .example = "true",
     .default_value = "false"},
    {.name = "timeline",
     .summary = "latest, current (the backup's) or a number; not with immediate",
     .example = "3",
     .default_value = "latest"},
});

constexpr auto objectives = std::to_array<KeyDescription>({
    {.name = "rto",
     .kind = KeyKind::duration,
     .summary = "how long a recovery may take, from the start of the restore to an open instance",
     .example = "30min"},
    {.name = "rpo",
     .kind = KeyKind::duration,
     .summary = "how much of the newest work may be lost",
     .example = "10min"},
});

constexpr auto reports = std::to_array<KeyDescription>({
    {.name = "json", .kind = KeyKind::path, .summary = "the whole report", .example = "out.json"},
    {.name = "junit",
     .kind = KeyKind::path,
     .summary = "one test case a check, for CI",
     .example = "out.xml"},
    {.name = "markdown",
     .kind = KeyKind::path,
     .summary = "a page for people",
     .example = "out.md"},
});

constexpr auto common_check = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "how the report calls it; tells two checks of one kind apart",
     .example = "orders are recent",
     .default_value = "the check's own name"},
});

constexpr auto scenario = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "names the runs in the state directory: letters, digits, '.', '_' and '-'",
     .example = "weekly-orders",
     .required = true},
    {.name = "repository",
     .kind = KeyKind::section,
     .summary = "where the backups and the WAL archive are",
     .required = true,
     .children = repository},
    {.name = "primary",
     .kind = KeyKind::section,
     .summary = "the production server, for the checks that compare",
     .children = primary},
    {.name = "recover_to",
     .kind = KeyKind::recovery_target,
     .summary = "where recovery shall stop: latest, immediate, or a map",
     .example = "{ time: \"2026-11-20 03:00:00+00\" }",
     .default_value = "latest",
     .children = recovery_target},
    {.name = "sandbox",
     .kind = KeyKind::section,
     .summary = "the disposable place where the backup is restored",
     .children = sandbox},
    {.name = "objectives",
     .kind = KeyKind::section,
     .summary = "what the recovery is measured against; missing one fails the drill",
     .children = objectives},
    {.name = "checks",
     .kind = KeyKind::check_list,
     .summary = "what to ask the restored instance: names, or a name with its settings",
     .example = "[page_checksums, amcheck: { heapallindexed: true }]",
     .default_value = "those that run in every drill"},
    {.name = "reports",
     .kind = KeyKind::section,
     .summary = "files to write beside the run directory; relative to the working directory",
     .children = reports},
    {.name = "timeout",
     .kind = KeyKind::duration,
     .summary = "end the drill with the verdict unknown after this time",
     .example = "4h",
     .default_value = "none"},
});

}  // namespace

std::span<const KeyDescription> scenario_keys() { return scenario; }

std::span<const KeyDescription> recovery_target_keys() { return recovery_target; }

std::span<const KeyDescription> common_check_keys() { return common_check; }

}  // namespace pgrehearse
