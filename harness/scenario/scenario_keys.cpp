#include "harness/scenario/scenario_keys.hpp"

#include <array>

#include "harness/scenario/sandbox_kinds.hpp"

namespace pgrehearse {

namespace {

constexpr std::array<std::string_view, 1> repository_types{"pgbackrest"};
constexpr std::array<std::string_view, 3> accelerators{"auto", "kvm", "tcg"};

constexpr std::array<std::string_view, 2> egresses{"none", "repository"};

constexpr std::array<std::string_view, 2> preferred_members{"primary", "standby"};

constexpr std::array<std::string_view, 4> backup_words{"latest", "oldest", "random", "unproved"};

constexpr auto backup_choice = std::to_array<KeyDescription>({
    {.name = "older_than",
     .kind = KeyKind::duration,
     .summary = "the newest backup that is older than this",
     .example = "7d"},
});

constexpr auto repository = std::to_array<KeyDescription>({
    {.name = "type",
     .kind = KeyKind::choice,
     .summary = "the tool that made the backups",
     .example = "pgbackrest",
     .default_value = "pgbackrest",
     .choices = repository_types},
    {.name = "stanza", .summary = "pgBackRest stanza", .example = "orders", .required = true},
    {.name = "config",
     .kind = KeyKind::absolute_path,
     .summary = "pgBackRest configuration file",
     .example = "/etc/pgbackrest/pgbackrest.conf",
     .default_value = "pgBackRest's default"},
    {.name = "binary",
     .summary = "name or path of the pgbackrest binary",
     .example = "/usr/bin/pgbackrest",
     .default_value = "pgbackrest"},
    {.name = "repo",
     .kind = KeyKind::integer,
     .summary = "number of the repository, for a stanza with several",
     .example = "2",
     .default_value = "pgBackRest's choice"},
    {.name = "backup",
     .kind = KeyKind::expectation,
     .summary = "backup to restore: latest (the newest that can reach recover_to), oldest, random, "
                "unproved (the next to expire that no drill in the ledger has proved), a label, or "
                "{ older_than: 7d }",
     .example = "20261120-030000F",
     .default_value = "latest",
     .choices = backup_words,
     .children = backup_choice},
});

constexpr auto patroni = std::to_array<KeyDescription>({
    {.name = "urls",
     .kind = KeyKind::text_list,
     .summary = "Patroni REST API of some or all members; the first that responds is used",
     .example = "[https://db1:8008, https://db2:8008]",
     .required = true},
    {.name = "cluster",
     .summary = "name (scope) of the cluster; members of other clusters are rejected",
     .example = "orders",
     .default_value = "not checked"},
    {.name = "ca",
     .kind = KeyKind::absolute_path,
     .summary = "CA certificates for the REST API, PEM",
     .example = "/etc/pgrehearse/patroni-ca.crt",
     .default_value = "the system's CA certificates"},
    {.name = "certificate",
     .kind = KeyKind::absolute_path,
     .summary = "client certificate for the REST API, PEM",
     .example = "/etc/pgrehearse/client.crt"},
    {.name = "key",
     .kind = KeyKind::absolute_path,
     .summary = "private key of the client certificate, PEM",
     .example = "/etc/pgrehearse/client.key",
     .default_value = "in the certificate file"},
    {.name = "username",
     .summary = "user name for basic authentication with the REST API",
     .example = "pgrehearse"},
    {.name = "password",
     .summary = "password for basic authentication with the REST API; from the environment",
     .example = "${PATRONI_PASSWORD}"},
});

constexpr auto primary = std::to_array<KeyDescription>({
    {.name = "dsn",
     .summary = "libpq connection string of the production server, which is only read. One or more "
                "hosts; none with patroni. Keep passwords in ~/.pgpass or ${NAME}",
     .example = "\"dbname=postgres user=pgrehearse\"",
     .default_value = "required without patroni"},
    {.name = "patroni",
     .kind = KeyKind::section,
     .summary = "find the server through Patroni",
     .children = patroni},
    {.name = "prefer",
     .kind = KeyKind::choice,
     .summary = "primary: always use the primary; standby: use a standby if possible",
     .example = "standby",
     .default_value = "primary with patroni, else the server of the dsn",
     .choices = preferred_members},
    {.name = "max_lag",
     .kind = KeyKind::bytes,
     .summary = "maximum replay lag of a preferred standby; requires patroni",
     .example = "16MB",
     .default_value = "any"},
    {.name = "failover_timeout",
     .kind = KeyKind::duration,
     .summary = "how long to wait for a new primary during a failover",
     .example = "2min",
     .default_value = "1min with patroni or target_session_attrs, else 0s"},
});

constexpr auto kubernetes = std::to_array<KeyDescription>({
    {.name = "context",
     .summary = "kubectl context",
     .example = "rehearsals",
     .default_value = "kubectl's current context"},
    {.name = "namespace",
     .summary = "namespace of the pod",
     .example = "pgrehearse",
     .default_value = "the context's namespace"},
    {.name = "config_secret",
     .summary =
         "name of a secret with the files of the pgBackRest configuration directory; mounted "
         "in the directory of repository.config, else in /etc/pgbackrest",
     .example = "orders-pgbackrest",
     .default_value = "none: the image contains the configuration"},
    {.name = "repository_claim",
     .summary = "name of a persistent volume claim with the repository; mounted read-only",
     .example = "pgbackrest-repository"},
    {.name = "repository_path",
     .kind = KeyKind::absolute_path,
     .summary = "mount path of that volume in the pod: repo1-path of the configuration",
     .example = "/backup/pgbackrest",
     .default_value = "/var/lib/pgbackrest"},
    {.name = "repository_addresses",
     .kind = KeyKind::text_list,
     .summary = "with egress: repository, the addresses and ports that the pod may connect to",
     .example = "[203.0.113.0/24:443]"},
    {.name = "pull_secret",
     .summary = "name of the image pull secret",
     .example = "registry-login"},
    {.name = "user",
     .kind = KeyKind::integer,
     .summary = "uid and gid of the account in the image that runs PostgreSQL",
     .example = "101",
     .default_value = "999"},
    {.name = "storage",
     .kind = KeyKind::bytes,
     .summary = "size of the pod's volume; required if this host cannot read the repository",
     .example = "200GB",
     .default_value = "1.25 times the backup's size, plus 2GB"},
    {.name = "start_timeout",
     .kind = KeyKind::duration,
     .summary = "how long to wait for the pod to start",
     .example = "30min",
     .default_value = "10min"},
});

constexpr auto sandbox = std::to_array<KeyDescription>({
    {.name = "type",
     .kind = KeyKind::choice,
     .summary = "where the instance runs",
     .example = "docker",
     .default_value = default_sandbox_type,
     .choices = sandbox_types},
    {.name = "directory",
     .kind = KeyKind::absolute_path,
     .summary = "parent directory of sandboxes; needs space for the restored cluster",
     .example = "/var/lib/pgrehearse",
     .default_value = "the state directory"},
    {.name = "run_as",
     .summary = "operating system account for PostgreSQL and pgBackRest when started by root",
     .example = "postgres",
     .default_value = "postgres for root, else the account that runs pgrehearse"},
    {.name = "memory",
     .kind = KeyKind::bytes,
     .summary =
         "memory of the instance; the limit of a container or pod, the size of a virtual machine",
     .example = "2GB",
     .default_value = "a quarter of the host's memory; kubernetes: 2GB"},
    {.name = "cpus",
     .kind = KeyKind::integer,
     .summary = "CPUs for restore, instance and checks; 0: all",
     .example = "4",
     .default_value = "0; kubernetes: 2"},
    {.name = "io_bandwidth",
     .kind = KeyKind::bytes,
     .summary = "bandwidth limit per second for reads, and the same limit for writes",
     .example = "200MB",
     .default_value = "no limit"},
    {.name = "superuser",
     .summary = "superuser role of the restored cluster",
     .example = "postgres",
     .default_value = "postgres"},
    {.name = "binaries",
     .kind = KeyKind::absolute_path,
     .summary = "directory of the PostgreSQL binaries; with an image, the directory in the image",
     .example = "/usr/lib/postgresql/15/bin",
     .default_value = "that of the backup's major version"},
    {.name = "image",
     .summary = "image name, tag or digest; for kubernetes it must contain pgrehearse; for vm the "
                "image's directory",
     .example = "pgrehearse:15",
     .default_value = "pgrehearse:<major version of the backup>; required for kubernetes; vm: "
                      "vm/<major> below the state directory or /var/lib/pgrehearse"},
    {.name = "engine",
     .summary = "address of the container engine, unix:///path or tcp://host:port",
     .example = "unix:///run/docker.sock",
     .default_value = "as docker or podman finds it (DOCKER_HOST, contexts, default socket)"},
    {.name = "egress",
     .kind = KeyKind::choice,
     .summary = "what can be reached from the sandbox over the network",
     .example = "repository",
     .default_value = "none",
     .choices = egresses},
    {.name = "checksum",
     .summary = "checksum of the image as printed by docker/vm/build; other images are rejected",
     .example = "sha256:2f0b1c3f62c24ebb6a1f8b0dd1ba0d7cbe4a3c47d6cbd3bd1c2d7a6e9d1b5e3a",
     .default_value = "none: only the checksums in the image are verified"},
    {.name = "accelerator",
     .kind = KeyKind::choice,
     .summary = "kvm, or emulation with tcg, which is many times slower",
     .example = "kvm",
     .default_value = "auto: kvm if the machine boots with it within 20 seconds, else tcg",
     .choices = accelerators},
    {.name = "boot_timeout",
     .kind = KeyKind::duration,
     .summary = "how long to wait for the machine to start",
     .example = "1min",
     .default_value = "3min"},
    {.name = "disk",
     .kind = KeyKind::bytes,
     .summary = "size of the machine's disk; a sparse file on this host",
     .example = "200GB",
     .default_value = "twice what the drill needs, plus 4GB"},
    {.name = "kubernetes",
     .kind = KeyKind::section,
     .summary = "the cluster and the resources of the pod",
     .children = kubernetes},
});

constexpr auto random_target = std::to_array<KeyDescription>({
    {.name = "within",
     .kind = KeyKind::duration,
     .summary = "how old the target may be",
     .example = "7d",
     .required = true},
});

constexpr auto recovery_target = std::to_array<KeyDescription>({
    {.name = "latest",
     .kind = KeyKind::boolean,
     .summary = "recover to the end of the archive",
     .example = "true"},
    {.name = "immediate",
     .kind = KeyKind::boolean,
     .summary = "stop as soon as the backup is consistent",
     .example = "true"},
    {.name = "time",
     .summary = "recover to this time; with a time zone",
     .example = "\"2026-11-20 03:00:00+00\""},
    {.name = "lsn", .summary = "recover to a WAL position", .example = "0/5000028"},
    {.name = "xid", .summary = "recover to the commit of a transaction", .example = "743"},
    {.name = "name",
     .summary = "recover to a restore point created by pg_create_restore_point",
     .example = "before_release"},
    {.name = "random",
     .kind = KeyKind::section,
     .summary = "recover to a WAL position that is chosen at random",
     .example = "{ within: 7d }",
     .children = random_target},
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
     .summary =
         "maximum duration of a recovery, from the start of the restore until the instance is open",
     .example = "30min"},
    {.name = "rpo",
     .kind = KeyKind::duration,
     .summary = "maximum loss of recent transactions, as a duration",
     .example = "10min"},
});

constexpr auto reports = std::to_array<KeyDescription>({
    {.name = "json",
     .kind = KeyKind::path,
     .summary = "the complete report",
     .example = "out.json"},
    {.name = "junit",
     .kind = KeyKind::path,
     .summary = "JUnit XML for CI, one test case per check",
     .example = "out.xml"},
    {.name = "markdown", .kind = KeyKind::path, .summary = "Markdown", .example = "out.md"},
    {.name = "html",
     .kind = KeyKind::path,
     .summary = "a page for a browser",
     .example = "out.html"},
});

constexpr auto schedule = std::to_array<KeyDescription>({
    {.name = "cron",
     .summary = "when drills are due, as in a crontab: minute, hour, day of month, month, day of "
                "week; or @daily, @weekly, @monthly",
     .example = "\"0 3 * * 6\"",
     .required = true},
    {.name = "zone",
     .summary = "time zone of `cron`",
     .example = "Europe/Berlin",
     .default_value = "the host's time zone"},
    {.name = "jitter",
     .kind = KeyKind::duration,
     .summary = "maximum delay of a start; differs between scenarios and due times, so that drills "
                "with one schedule do not start together",
     .example = "10min",
     .default_value = "0s"},
});

constexpr auto ledger = std::to_array<KeyDescription>({
    {.name = "dsn",
     .summary = "libpq connection string of a PostgreSQL database in which several hosts record "
                "their drills. Keep passwords in ~/.pgpass or ${NAME}",
     .example = "\"host=ledger1 dbname=pgrehearse user=pgrehearse\"",
     .default_value = "$PGREHEARSE_LEDGER, else a SQLite file in the state directory"},
    {.name = "sign",
     .kind = KeyKind::absolute_path,
     .summary = "SSH key that signs the record of each drill: a private key without passphrase, or "
                "the public key of a key in ssh-agent",
     .example = "/etc/pgrehearse/evidence_key",
     .default_value = "not signed"},
});

constexpr auto common_check = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "name in the report; must be unique",
     .example = "orders are recent",
     .default_value = "the check's own name"},
});

constexpr auto scenario = std::to_array<KeyDescription>({
    {.name = "name",
     .summary = "name of the scenario and its run directories: letters, digits, '.', '_' and '-'",
     .example = "weekly-orders",
     .required = true},
    {.name = "repository",
     .kind = KeyKind::section,
     .summary = "the repository with backups and WAL archive",
     .required = true,
     .children = repository},
    {.name = "primary",
     .kind = KeyKind::section,
     .summary = "the production server, for checks that compare with it",
     .children = primary},
    {.name = "recover_to",
     .kind = KeyKind::recovery_target,
     .summary = "recovery target: latest, immediate, or a map",
     .example = "{ time: \"2026-11-20 03:00:00+00\" }",
     .default_value = "latest",
     .children = recovery_target},
    {.name = "seed",
     .kind = KeyKind::integer,
     .summary = "repeats the random choices of an earlier drill: its report has the seed",
     .example = "173205080",
     .default_value = "a new one for each drill"},
    {.name = "sandbox",
     .kind = KeyKind::section,
     .summary = "the disposable environment in which the backup is restored",
     .children = sandbox},
    {.name = "ledger",
     .kind = KeyKind::section,
     .summary = "where drills are recorded: their results, and hashes of their files",
     .children = ledger},
    {.name = "objectives",
     .kind = KeyKind::section,
     .summary = "recovery objectives; the drill fails if one is missed",
     .children = objectives},
    {.name = "checks",
     .kind = KeyKind::check_list,
     .summary = "checks to run: names, or names with settings",
     .example = "[page_checksums, amcheck: { heapallindexed: true }]",
     .default_value = "only the checks that run in every drill"},
    {.name = "reports",
     .kind = KeyKind::section,
     .summary = "report files to write in addition to the run directory; relative to the working "
                "directory",
     .children = reports},
    {.name = "schedule",
     .kind = KeyKind::section,
     .summary = "when `pgrehearse serve` and `run --if-due` start the drill",
     .children = schedule},
    {.name = "notify",
     .kind = KeyKind::channel_list,
     .summary = "whom to notify after a drill: channels with settings",
     .example = "[slack: { url: \"${SLACK_WEBHOOK_URL}\" }, email: { server: "
                "\"smtp://mail.example.com:587\", from: drills@example.com, to: "
                "dba@example.com }]",
     .default_value = "nobody"},
    {.name = "timeout",
     .kind = KeyKind::duration,
     .summary = "time limit of the drill; when exceeded the verdict is unknown",
     .example = "4h",
     .default_value = "none"},
});

}  // namespace

std::span<const KeyDescription> scenario_keys() { return scenario; }

std::span<const KeyDescription> recovery_target_keys() { return recovery_target; }

std::span<const KeyDescription> common_check_keys() { return common_check; }

}  // namespace pgrehearse
