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
    "Exit code: 0 continuous; 1 something is lost; 2 something could not be determined. With --at:\n"
    "0 the time is recoverable; 1 it is not; 2 unknown.";

constexpr std::string_view doctor_explanation =
    "With a scenario: checks account, PostgreSQL binaries, pgBackRest, repository, disk space,\n"
    "primary and sandbox, and prints a hint for each problem. Without one: checks only this host.\n"
    "Exit code: 0 no problem found; 2 problems found.";

constexpr std::string_view report_explanation =
    "Without an argument, shows the newest run. The exit code is 0 regardless of the verdict of\n"
    "that run.";

constexpr std::string_view demo_explanation =
    "Needs no configuration, only PostgreSQL and pgBackRest. Creates a PostgreSQL cluster, a\n"
    "pgBackRest repository, a full and an incremental backup, and runs a drill against them; "
    "takes\n"
    "about 30 seconds. Everything is removed at the end unless --keep is given. When started by\n"
    "root, PostgreSQL runs as the account postgres. Exit codes are those of 'pgrehearse run'.";

constexpr std::string_view prove_explanation =
    "Injects faults into throwaway laboratories and verifies that a drill detects each of them.\n"
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
    "longer running. Instances kept with 'run --keep' are removed only with --kept or by run id.\n"
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

constexpr auto table = std::to_array<CommandDescription>({
    {"run", "run drills: restore, replay WAL, check, report, clean up",
     "pgrehearse run weekly.yaml\n"
     "pgrehearse run weekly.yaml --set recover_to.time='2026-11-20 03:00:00+00' --keep\n"
     "pgrehearse run orders.yaml billing.yaml --timeout 2h --format json",
     configure_run, run_explanation},
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
    {"history", "list past runs, newest first, with verdict and diagnosis",
     "pgrehearse history\n"
     "pgrehearse history weekly-orders --limit 5\n"
     "pgrehearse history --format json",
     configure_history},
    {"demo", "create a throwaway primary with backups and rehearse its recovery",
     "pgrehearse demo\n"
     "pgrehearse demo --set recover_to=immediate --json report.json\n"
     "pgrehearse demo --keep --state /var/tmp/pgrehearse",
     configure_demo, demo_explanation},
    {"prove", "inject known faults and verify that drills detect them",
     "pgrehearse prove --list\n"
     "pgrehearse prove wal-segment-missing 'page-*'\n"
     "pgrehearse prove --tag quick --directory /dev/shm/faults --json faults.json\n"
     "pgrehearse prove --scenario weekly.yaml 'wal-*' 'backup-*'",
     configure_prove, prove_explanation},
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
