#include "harness/cli/command_table.hpp"

#include <array>

#include "harness/cli/commands.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view run_explanation =
    "For each scenario: restores the backup into a disposable sandbox, replays WAL to the\n"
    "recovery target, proves where recovery stopped, runs the checks and removes the sandbox. The\n"
    "primary is only read, the repository is never written. The report goes to standard output,\n"
    "log messages to standard error; report and logs are stored in <state>/runs.\n"
    "Exit code: 0 all drills passed; 1 a drill failed; 2 a result could not be determined; 3\n"
    "usage or scenario error, nothing was started; 130 interrupted.";

constexpr std::string_view plan_explanation =
    "Selects the backup and lists the WAL archive as a drill would, but starts and changes "
    "nothing.\n"
    "The estimated time is the duration of the scenario's last completed run.";

constexpr std::string_view map_explanation =
    "Lists the backups and the WAL archive; restores nothing. Shows the recoverable range of each\n"
    "timeline, gaps in the WAL, and unusable backups.\n"
    "Exit code: 0 continuous; 1 something is lost; 2 something could not be determined. With "
    "--at:\n"
    "0 the time is recoverable; 1 it is not; 2 unknown.";

constexpr std::string_view recover_explanation =
    "A drill without a scenario file: restores the backup that fits, replays WAL to the target "
    "and\n"
    "proves where recovery stopped. Before it starts, it shows the target in both time zones, the\n"
    "backup, the WAL, the time and the space that it needs, and whether the target can be "
    "reached.\n"
    "\n"
    "Targets: latest, immediate, a time (\"2026-11-20 14:05\", or 14:05 for today), an LSN\n"
    "(0/5000028), xid:743, name:RESTORE_POINT, and before:743, before:LSN or before:TIME to stop\n"
    "just before it. A time without a zone is read in --zone or the terminal's zone; a time that\n"
    "occurs twice, or not at all, when clocks change is refused.\n"
    "\n"
    "If a transaction that has not committed at the target holds locks on tables, the copy is\n"
    "promoted; otherwise it stays paused and read-only.\n"
    "Exit code: 0 target reached, checks passed, dumps written; 1 failed; 2 a result could not be\n"
    "determined; 3 usage error, or a target that cannot be reached.";

constexpr std::string_view locate_explanation =
    "Reads the archived WAL and names the transactions that dropped or truncated a table, or\n"
    "deleted or updated its rows, and the command that recovers to just before each. The table is\n"
    "followed from file to file through TRUNCATE, VACUUM FULL, CLUSTER and ALTER TABLE. Its first\n"
    "file comes from the primary of the scenario if the table still has it, otherwise from the\n"
    "newest backup before --from, of which only the table's database is restored for that.\n"
    "\n"
    "--when finds the commit that made a query untrue: restores the backup once and bisects the\n"
    "commits, each time from a saved copy of the newest position where the query was true. If the\n"
    "query changed more than once, the result is one of the changes. The saved copy shares its "
    "space\n"
    "on xfs and btrfs; elsewhere the search needs twice the space of the cluster.\n"
    "Exit code: 0 found; 1 no such transaction; 2 the table could not be followed to the end.";

constexpr std::string_view copies_explanation =
    "Copies are instances that 'recover --keep' or 'run --keep' left running. A copy is named by "
    "its\n"
    "run id or a unique part of it; the name can be omitted if there is only one.\n"
    "\n"
    "  list      position, state, age, size and expiry of each copy\n"
    "  connect   start psql in a copy: copies connect COPY [DATABASE]\n"
    "  advance   continue replay to a later --to TARGET, without another restore\n"
    "  dump      write a table or a database to a file: --dump DATABASE[.SCHEMA.TABLE]=FILE\n"
    "  diff      compare --table with the primary (--against a scenario or a connection string):\n"
    "            counts and shows the rows that differ, writes them as --csv FILE, and the rows "
    "that\n"
    "            only the copy has as --sql FILE, to be reviewed and run by a person. The primary "
    "is\n"
    "            only read, for at most --time\n"
    "  share     let other accounts of this host (--allow) use the copy as one role, as long as "
    "the\n"
    "            command runs. Without --role: pgrehearse_reader, which may read everything. --tcp "
    "also\n"
    "            listens on 127.0.0.1, with a new password: copies share COPY [DATABASE] --tcp\n"
    "  promote   end replay and open the copy for writing\n"
    "  remove    stop and remove copies\n"
    "Exit code of diff: 0 no difference; 1 rows differ; 2 not complete.";

constexpr std::string_view init_explanation =
    "Inspects the repository and this host, and writes a scenario with comments. If a server on "
    "this\n"
    "host is the cluster of the backups, it becomes the primary of the scenario. Runs the probes "
    "of\n"
    "'doctor'; an existing file is never replaced.\n"
    "Exit code: 0 written; others as for 'doctor'.";

constexpr std::string_view doctor_explanation =
    "With a scenario: checks account, PostgreSQL binaries, pgBackRest, repository, disk space,\n"
    "primary and sandbox, and prints a hint for each problem. Without one: checks only this host.\n"
    "Exit code: 0 no problem found; 2 problems found.";

constexpr std::string_view report_explanation =
    "Without an argument, shows the newest run. The exit code is 0 regardless of the verdict of\n"
    "that run.";

constexpr std::string_view history_explanation =
    "Every drill is recorded in a ledger when it starts and when it ends: a SQLite file in the\n"
    "state directory, or a PostgreSQL database that several hosts share (ledger.dsn in the\n"
    "scenario, --ledger here). A chain of hashes covers the rows and the files of each drill.\n"
    "Exit code of 'history verify': 0 nothing was changed; 1 something was; 2 could not be read.";

constexpr std::string_view demo_explanation =
    "Needs no configuration, only PostgreSQL and pgBackRest. Creates a PostgreSQL cluster, a\n"
    "pgBackRest repository, a full and an incremental backup, and runs a drill against them; "
    "takes\n"
    "about 30 seconds. Everything is removed at the end unless --keep is given. When started by\n"
    "root, PostgreSQL runs as the account postgres. Exit codes are those of 'pgrehearse run'.";

constexpr std::string_view prove_explanation =
    "Injects faults into throwaway laboratories and verifies that a drill detects each of them.\n"
    "With --tool, the laboratories use plain PostgreSQL or Barman; faults that do not exist there\n"
    "are listed with the reason, and not counted.\n"
    "With --scenario, injects them into copies of that scenario's repository and verifies that "
    "its\n"
    "own checks detect them. That repository must be a directory on this host; it is only read. "
    "The\n"
    "primary is not contacted: checks and objectives that need it are left out.\n"
    "Exit code: 0 every fault was detected and no undamaged drill failed; 1 a fault was missed or\n"
    "an undamaged drill failed; 2 a fault could not be injected, or the repository changed\n"
    "during the run.";

constexpr std::string_view clean_explanation =
    "Removes processes, directories, containers, virtual machines and pods of drills that are no\n"
    "longer running. Kept instances are removed when they expire ('recover --for'), with --kept, "
    "or\n"
    "by run id.\n"
    "Exit code: 0 nothing left; 2 something could not be removed.";

constexpr std::string_view fingerprint_explanation =
    "Records row counts and hashes of every relation, sequences and the catalog, all at one exact\n"
    "LSN. Create the fingerprint on a host that can reach production; drills on a host that\n"
    "cannot reach it compare with the file:\n"
    "  checks: [{ comparison: { against: orders.fingerprint } }]\n"
    "The primary is only read, without locks that block other sessions. The file contains names,\n"
    "counts and hashes but no rows; each line is a JSON object. --primary does not accept a "
    "password:\n"
    "use ~/.pgpass.\n"
    "Exit code: 0 complete, at an exact LSN; 2 the file was written but is incomplete, or no\n"
    "exact snapshot was possible (the output gives the reason).";

constexpr std::string_view serve_explanation =
    "Runs the drill of each scenario in DIRECTORY when its `schedule` says so. A drill is a "
    "process\n"
    "of its own: it continues when the scheduler ends, and the next scheduler finds it. One drill\n"
    "per stanza runs at a time, also on all hosts that share a ledger. A missed drill is caught "
    "up\n"
    "once. An `unknown` drill is repeated after 10 minutes, an hour and six hours; a `fail` is "
    "not\n"
    "repeated. Files are read again when they change, and on SIGHUP; while a file has errors, its\n"
    "last valid version stays in force. SIGTERM ends the scheduler and no drill.\n"
    "Exit code: 0 ended by a signal; 2 the ledger or the state directory cannot be used; 3 usage\n"
    "error; with --list, a file has errors.";

constexpr std::string_view metrics_explanation =
    "Lists the repositories of the scenarios, asks their primaries' archivers, and prints the "
    "metrics\n"
    "of this host in Prometheus' text format: the newest drill of each scenario, from the ledger, "
    "and\n"
    "what was found in the repositories. Meant to run every few minutes, by cron or a systemd "
    "timer;\n"
    "drills add their results with 'run --metrics' or 'run --pushgateway'. The primary is only "
    "read.\n"
    "Exit code: 0 complete; 2 a repository could not be listed, its last state was exported.";

constexpr std::string_view notify_explanation =
    "'notify test' sends a message marked as a test through each channel of the scenario's key\n"
    "`notify`, and prints the outcome of each. Incidents that the test opens are resolved at once. "
    "A\n"
    "heartbeat is not sent: it would report a drill that passed.\n"
    "Exit code: 0 all delivered; 1 a channel failed.";

constexpr std::string_view web_explanation =
    "Fleet, stanzas, drills with their reports, evidence for a period, and a JSON API\n"
    "(/api/openapi.json). Starts no drills: that needs the scheduler. On an address other than\n"
    "loopback every page needs the token.";

constexpr auto table = std::to_array<CommandDescription>({
    {"init", "inspect a stanza and this host, and write a scenario for it",
     "pgrehearse init --stanza demo\n"
     "pgrehearse init --stanza demo --config /etc/pgbackrest.conf --output weekly.yaml",
     configure_init, init_explanation},
    {"run", "run drills: restore, replay WAL, check, report, clean up",
     "pgrehearse run weekly.yaml\n"
     "pgrehearse run weekly.yaml --set recover_to.time='2026-11-20 03:00:00+00' --keep\n"
     "pgrehearse run orders.yaml billing.yaml --timeout 2h --junit drills.xml\n"
     "pgrehearse run --if-due --quiet orders.yaml billing.yaml",
     configure_run, run_explanation},
    {"serve", "run the drills of a directory of scenarios on their schedules",
     "pgrehearse serve /etc/pgrehearse/scenarios\n"
     "pgrehearse serve /etc/pgrehearse/scenarios --list\n"
     "pgrehearse serve /etc/pgrehearse/scenarios --max-drills 2 --memory 16GB --keep-free 50GB",
     configure_serve, serve_explanation},
    {"plan", "show what a drill would do (backup, WAL, space, time) without running it",
     "pgrehearse plan weekly.yaml\n"
     "pgrehearse plan weekly.yaml --set repository.backup=oldest --format json",
     configure_plan, plan_explanation},
    {"map", "show which points in time can be recovered to, without restoring",
     "pgrehearse map weekly.yaml\n"
     "pgrehearse map --stanza demo --config /etc/pgbackrest.conf\n"
     "pgrehearse map weekly.yaml --at '2026-11-20 14:05+01'\n"
     "pgrehearse map weekly.yaml --format svg --output map.svg",
     configure_map, map_explanation},
    {"recover", "recover to a point in time without a scenario; keep the copy, dump tables",
     "pgrehearse recover --stanza demo --to '2026-11-20 14:05' --zone Europe/Berlin\n"
     "pgrehearse recover --stanza demo --to before:743 --dump shop.public.orders=orders.dump\n"
     "pgrehearse recover weekly.yaml --to latest --keep --for 8h --checks basic",
     configure_recover, recover_explanation},
    {"locate", "name the transaction that dropped, truncated, deleted or updated",
     "pgrehearse locate --stanza demo --dropped shop.public.orders --from '2026-11-20 13:00'\n"
     "pgrehearse locate weekly.yaml --deleted-from shop.public.orders --at-least 100\n"
     "pgrehearse locate --stanza demo --database-dropped shop --zone Europe/Berlin\n"
     "pgrehearse locate --stanza demo --database shop --when 'select count(*) > 0 from "
     "sales.orders'",
     configure_locate, locate_explanation},
    {"copies", "list, connect, advance, dump, compare, share, promote and remove kept copies",
     "pgrehearse copies\n"
     "pgrehearse copies advance 1a2b3c4d --to '2026-11-20 14:06'\n"
     "pgrehearse copies diff 1a2b3c4d --table shop.public.orders --against weekly.yaml --sql "
     "lost.sql\n"
     "pgrehearse copies share 1a2b3c4d shop --allow alice --for 2h\n"
     "pgrehearse copies remove 1a2b3c4d",
     configure_copies, copies_explanation},
    {"doctor", "check the prerequisites of drills and suggest fixes",
     "pgrehearse doctor\n"
     "pgrehearse doctor weekly.yaml",
     configure_doctor, doctor_explanation},
    {"fingerprint", "record the primary's contents at one exact LSN, for later comparison",
     "pgrehearse fingerprint weekly.yaml --to orders.fingerprint\n"
     "pgrehearse fingerprint --primary 'host=db1 user=pgrehearse' --to orders.fingerprint\n"
     "pgrehearse fingerprint weekly.yaml --sample 1% --time 10min --to - | gzip > orders.gz",
     configure_fingerprint, fingerprint_explanation},
    {"report", "show the report of a past run, in any format",
     "pgrehearse report\n"
     "pgrehearse report weekly-orders\n"
     "pgrehearse report latest --format junit --output drill.xml",
     configure_report, report_explanation},
    {"history", "list past runs, show trends, verify and export the evidence of drills",
     "pgrehearse history\n"
     "pgrehearse history weekly-orders --limit 5\n"
     "pgrehearse history --stanza orders --verdict fail --since 90d --format csv\n"
     "pgrehearse history verify",
     configure_history, history_explanation},
    {"metrics", "export metrics of drills and repositories for Prometheus",
     "pgrehearse metrics weekly.yaml\n"
     "pgrehearse metrics *.yaml --output /var/lib/prometheus/node-exporter/pgrehearse.prom\n"
     "pgrehearse metrics weekly.yaml --pushgateway http://pushgateway:9091\n"
     "pgrehearse metrics --list",
     configure_metrics, metrics_explanation},
    {"notify", "send a test notification through each channel of a scenario",
     "pgrehearse notify test weekly.yaml\n"
     "pgrehearse notify test weekly.yaml --only slack --format json",
     configure_notify, notify_explanation},
    {"demo", "create a throwaway primary with backups and rehearse its recovery",
     "pgrehearse demo\n"
     "pgrehearse demo --set recover_to=immediate --json report.json\n"
     "pgrehearse demo --keep --state /var/tmp/pgrehearse",
     configure_demo, demo_explanation},
    {"prove", "inject known faults and verify that drills detect them",
     "pgrehearse prove --list\n"
     "pgrehearse prove wal-segment-missing 'page-*'\n"
     "pgrehearse prove --tag quick --directory /dev/shm/faults --json faults.json\n"
     "pgrehearse prove --tool barman --compare 'backup-*' 'wal-*'\n"
     "pgrehearse prove --scenario weekly.yaml 'wal-*' 'backup-*'",
     configure_prove, prove_explanation},
    {"web", "show the drills of the ledger as web pages, read-only",
     "pgrehearse web\n"
     "pgrehearse web --listen 127.0.0.1:9000",
     configure_web, web_explanation},
    {"clean", "remove what killed drills left behind",
     "pgrehearse clean\n"
     "pgrehearse clean --dry-run --format json\n"
     "pgrehearse clean --kept",
     configure_clean, clean_explanation},
    {"checks", "list the checks that a scenario can use",
     "pgrehearse checks\n"
     "pgrehearse checks amcheck --format json",
     configure_checks},
    {"schema", "print the JSON Schema of scenarios, for editors",
     "pgrehearse schema > scenario.schema.json\n"
     "pgrehearse schema --example > weekly.yaml\n"
     "pgrehearse schema --reference | less",
     configure_schema},
    {"completion", "print a shell completion script",
     "pgrehearse completion bash > /etc/bash_completion.d/pgrehearse\n"
     "pgrehearse completion zsh > \"${fpath[1]}/_pgrehearse\"\n"
     "pgrehearse completion fish > ~/.config/fish/completions/pgrehearse.fish",
     configure_completion},
    {"version", "print the versions of pgrehearse, libpq and the compiler",
     "pgrehearse version\n"
     "pgrehearse version --format json",
     configure_version},
    {"help", "show help for a command",
     "pgrehearse help\n"
     "pgrehearse help version",
     configure_help},
});

}  // namespace

std::span<const CommandDescription> command_table() { return table; }

}  // namespace pgrehearse
