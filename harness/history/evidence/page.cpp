#include "harness/history/evidence/page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/reporting/phrases.hpp"
#include "harness/reporting/printable.hpp"

namespace pgrehearse {

namespace {

constexpr std::string_view contents = R"(
## Contents

| file | contents |
|---|---|
| `drills.csv` | one line per drill: backup, landing, verdict, RTO and RPO measured and required |
| `drills/SCENARIO/DRILL/report.json` | the record: every check with its findings, every command that was run, the proof of the landing, the proof that the restored data was removed |
| `drills/SCENARIO/DRILL/report.html`, `.txt`, `.md`, `.xml` | the same record in other formats |
| `drills/SCENARIO/DRILL/scenario.yaml` | what the drill was asked to do; without passwords |
| `drills/SCENARIO/DRILL/logs/` | output of pgBackRest, PostgreSQL and the tools that verified the data |
| `drills/SCENARIO/DRILL/SHA256SUMS` | hashes of these files, written when the drill ended |
| `chain`, `entries` | the ledger: an entry when a drill starts and when it ends, each with the hash of the entry before it |
| `SHA256SUMS` | hashes of all files of this archive |
| `SHA256SUMS.sig`, `allowed_signers` | the signature, if the archive is signed |

Records contain names, counts, hashes and log lines, but no rows of the databases.

## Requirements

| requirement | evidence |
|---|---|
| **ISO/IEC 27001:2022, Annex A 8.13** (information backup): backup copies are maintained and regularly tested in accordance with the agreed policy | `drills.csv` shows how often and with which backup restores were tested, and the results. `report.json` contains the tests: `checks` with verdicts and findings |
| **DORA, Regulation (EU) 2022/2554, Art. 12(2)**: testing of backup, restoration and recovery procedures is undertaken periodically | the dates in `drills.csv`; the chain shows that no drill was left out or changed |
| **DORA Art. 12(3)**: backup data is restored with systems that are segregated from the source system | `sandbox` in `report.json`: where the restored server ran, `isolation`, and `removed` |
| **DORA Art. 12(6)**: recovery time and recovery point objectives are determined, and met in extreme scenarios | `objectives` in `report.json`: RTO and RPO, required and measured |
| **DORA Art. 12(7)**: after recovery, multiple checks, including reconciliations, ensure the integrity of data | `checks` and `comparison` in `report.json`: page checksums, structure of tables and indexes, exact comparison with the primary |
| **SOC 2 A1.3**: recovery plan procedures are tested to meet the entity's objectives | all of the above; failed drills, with diagnosis and next step, are included |

A drill tests the recovery of PostgreSQL from its backups. It does not test the recovery of applications, networks or sites.

## Verification without pgrehearse

`sh verify.sh` runs these steps; it needs sha256sum and, for the signature, ssh-keygen.

1. Files: `sha256sum --check --quiet SHA256SUMS`
2. Files of each drill: the same in its directory. The hash of that `SHA256SUMS` is `manifest_hash` in the entry `finished` of the drill.
3. Chain: the hash of an entry is the SHA-256 of the previous hash, a line feed, the entry's line in `entries`, and a line feed.
   `chain` lists sequence, previous hash and hash of the same lines.
4. Signature: `ssh-keygen -Y verify -f allowed_signers -I pgrehearse -n pgrehearse -s SHA256SUMS.sig < SHA256SUMS`

`allowed_signers` is part of this archive: compare its key with one that you received in another way. An earlier archive of the
same ledger contains the beginning of the same chain.
)";

constexpr std::string_view script = R"sh(#!/bin/sh
# Verifies this evidence archive. usage: sh verify.sh [ALLOWED_SIGNERS]
signers=${1:-allowed_signers}
case $signers in /* | allowed_signers) ;; *) signers=$PWD/$signers ;; esac
cd "$(dirname "$0")" || exit 2
failed=0

if sha256sum --check --quiet SHA256SUMS; then echo "files: as in SHA256SUMS"; else failed=1; fi

drills=0
for directory in drills/*/*/; do
  [ -f "$directory/SHA256SUMS" ] || continue
  drills=$((drills + 1))
  (cd "$directory" && sha256sum --check --quiet SHA256SUMS) || { echo "$directory: files were changed"; failed=1; }
  hash=$(sha256sum < "$directory/SHA256SUMS" | cut -c 1-64)
  grep -q "\"manifest_hash\":\"$hash\"" entries || { echo "$directory: SHA256SUMS is not in the ledger"; failed=1; }
done
echo "drills: $drills with files"

entries=0
last=
while read -r sequence previous hash kind <&3 && IFS= read -r entry <&4; do
  entries=$((entries + 1))
  [ -z "$last" ] || [ "$previous" = "$last" ] || { echo "entry $sequence does not follow the entry before it"; failed=1; }
  last=$hash
  [ "$kind" = removed-by-prune ] && continue
  computed=$(printf '%s\n%s\n' "$previous" "$entry" | sha256sum | cut -c 1-64)
  [ "$computed" = "$hash" ] || { echo "entry $sequence was changed"; failed=1; }
done 3< chain 4< entries
echo "chain: $entries entries, the last hash is $last"

if [ -f SHA256SUMS.sig ]; then
  ssh-keygen -Y verify -f "$signers" -I pgrehearse -n pgrehearse -s SHA256SUMS.sig < SHA256SUMS || failed=1
else
  echo "signature: none"
fi
if [ "$failed" = 0 ]; then echo verified; else echo "NOT VERIFIED"; fi
exit "$failed"
)sh";

struct ScenarioSummary {
  std::size_t drills = 0;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::optional<Instant> last_pass;
  std::string stanza;
};

std::string scenario_table(const std::vector<LedgerRow>& drills) {
  std::map<std::string, ScenarioSummary> scenarios;
  for (const auto& row : drills) {
    auto& summary = scenarios[row.scenario];
    ++summary.drills;
    summary.stanza = row.stanza;
    if (row.state != DrillState::finished) continue;
    if (row.verdict == Verdict::pass) {
      ++summary.passed;
      if (!summary.last_pass) summary.last_pass = row.started;
    }
    if (row.verdict == Verdict::fail) ++summary.failed;
  }
  std::string table =
      "| scenario | stanza | drills | passed | failed | not determined | last pass |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const auto& [name, summary] : scenarios) {
    table += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", printable_on_one_line(name),
                         printable_on_one_line(summary.stanza), summary.drills, summary.passed,
                         summary.failed, summary.drills - summary.passed - summary.failed,
                         summary.last_pass ? time_in_words(*summary.last_pass) : "never");
  }
  return table;
}

}  // namespace

std::string evidence_page(const EvidenceFacts& facts) {
  std::string text = "# Evidence of PostgreSQL recovery drills\n\n";
  const auto [first, last] = std::ranges::minmax(facts.drills, {}, &LedgerRow::started);
  text += fmt::format(
      "Drills: {}, from {} to {}. Exported {} on host {} by {}, pgrehearse {}.\n\n"
      "In a drill, pgrehearse restores a pgBackRest backup into a disposable PostgreSQL server, "
      "replays WAL to the recovery\ntarget, proves where recovery stopped, verifies the data and "
      "removes the server. A result that could not be\ndetermined is never counted as passed.\n\n",
      facts.drills.size(), time_in_words(first.started), time_in_words(last.started),
      time_in_words(facts.exported), facts.host, facts.operator_account, facts.program_version);
  text += scenario_table(facts.drills);
  text += fmt::format("\nLedger entries {} to {}; hash of entry {}: `{}`.\n", facts.first_entry,
                      facts.last_entry, facts.last_entry, facts.last_hash);
  if (!facts.signer.empty()) text += fmt::format("\nSigned with: `{}`\n", facts.signer);
  return text + std::string(contents);
}

std::string evidence_script() { return std::string(script); }

}  // namespace pgrehearse
