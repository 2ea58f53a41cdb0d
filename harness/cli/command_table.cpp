#include "harness/cli/command_table.hpp"

#include <array>

#include "harness/cli/commands.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view prove_explanation =
    "Faults are planted in throwaway laboratories, or with --scenario in copies of that "
    "scenario's\n"
    "repository, which has to be a directory of this host and is only read; its own drill has to\n"
    "notice each. The primary is not asked then: checks and objectives that need it are left "
    "out.\n";

constexpr std::string_view fingerprint_explanation =
    "What the primary holds at one exact point of its WAL: the rows of every relation, counted "
    "and\n"
    "hashed, the sequences, and the catalogue as a list. Take it where production can be reached; "
    "a\n"
    "drill on a host that must not reach production compares with the file:\n"
    "  checks: [{ comparison: { against: orders.fingerprint } }]\n"
    "The primary is only read, and nobody waits for our locks. The file has names, counts and "
    "hashes,\n"
    "no rows; each of its lines is a JSON object. --primary takes no password: use ~/.pgpass.\n"
    "Exit code 0: everything was read, at an exact point. 2: the file was written, but something "
    "is\n"
    "missing in it, or no exact point was found; it says what and why.";

constexpr auto table = std::to_array<CommandDescription>({
    {"run", "run drills: restore, replay, prove, check, report, remove",
     "pgrehearse run weekly.yaml\n"
     "pgrehearse run weekly.yaml --set recover_to.time='2026-11-20 03:00:00+00' --keep\n"
     "pgrehearse run orders.yaml billing.yaml --timeout 2h --format json",
     configure_run},
    {"plan", "show what a drill would do: backup, WAL, space, time; touches nothing",
     "pgrehearse plan weekly.yaml\n"
     "pgrehearse plan weekly.yaml --set repository.backup=oldest --format json",
     configure_plan},
    {"map", "draw which instants the repository can bring back, without a restore",
     "pgrehearse map weekly.yaml\n"
     "pgrehearse map --stanza demo --config /etc/pgbackrest.conf\n"
     "pgrehearse map weekly.yaml --format svg --output map.svg",
     configure_map},
    {"doctor", "examine this host and a scenario's surroundings, with a fix for each problem",
     "pgrehearse doctor\n"
     "pgrehearse doctor weekly.yaml",
     configure_doctor},
    {"fingerprint", "write down what the primary holds at one exact point, to compare with later",
     "pgrehearse fingerprint weekly.yaml --to orders.fingerprint\n"
     "pgrehearse fingerprint --primary 'host=db1 user=pgrehearse' --to orders.fingerprint\n"
     "pgrehearse fingerprint weekly.yaml --sample 1% --time 10min --to - | gzip > orders.gz",
     configure_fingerprint, fingerprint_explanation},
    {"report", "show an old run again, in any format",
     "pgrehearse report\n"
     "pgrehearse report weekly-orders\n"
     "pgrehearse report latest --format junit --output drill.xml",
     configure_report},
    {"history", "list the runs, newest first, with verdict and diagnosis",
     "pgrehearse history\n"
     "pgrehearse history weekly-orders --limit 5\n"
     "pgrehearse history --format json",
     configure_history},
    {"demo", "build a throwaway primary with backups and rehearse its recovery",
     "pgrehearse demo\n"
     "pgrehearse demo --set recover_to=immediate --json report.json\n"
     "pgrehearse demo --keep --state /var/tmp/pgrehearse",
     configure_demo},
    {"prove", "plant every known fault and see whether drills catch it",
     "pgrehearse prove --list\n"
     "pgrehearse prove wal-segment-missing 'page-*'\n"
     "pgrehearse prove --tag quick --directory /dev/shm/faults --json faults.json\n"
     "pgrehearse prove --scenario weekly.yaml 'wal-*' 'backup-*'",
     configure_prove, prove_explanation},
    {"clean", "remove what killed drills have left",
     "pgrehearse clean\n"
     "pgrehearse clean --dry-run --format json\n"
     "pgrehearse clean --kept",
     configure_clean},
    {"checks", "list the checks that a scenario can name",
     "pgrehearse checks\n"
     "pgrehearse checks amcheck --format json",
     configure_checks},
    {"schema", "print the JSON Schema of scenarios, for editors",
     "pgrehearse schema > scenario.schema.json\n"
     "pgrehearse schema --example > weekly.yaml\n"
     "pgrehearse schema --reference | less",
     configure_schema},
    {"completion", "print the completion script of a shell",
     "pgrehearse completion bash > /etc/bash_completion.d/pgrehearse\n"
     "pgrehearse completion zsh > \"${fpath[1]}/_pgrehearse\"\n"
     "pgrehearse completion fish > ~/.config/fish/completions/pgrehearse.fish",
     configure_completion},
    {"version", "print the version of pgrehearse and of what it is built with",
     "pgrehearse version\n"
     "pgrehearse version --format json",
     configure_version},
    {"help", "explain a command",
     "pgrehearse help\n"
     "pgrehearse help version",
     configure_help},
});

}  // namespace

std::span<const CommandDescription> command_table() { return table; }

}  // namespace pgrehearse
