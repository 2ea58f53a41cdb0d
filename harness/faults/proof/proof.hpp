// Proves that drills fail when they should: runs a drill with each fault, and the same drill
// without it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/faults/fault.hpp"
#include "harness/faults/fault_testbed.hpp"
#include "harness/faults/repository_listing.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

struct ExpectedFinding {
  FindingCode code = FindingCode::none;
  std::string object;  // as injected; empty: any
};

struct FaultResult {
  Fault fault;
  Verdict verdict = Verdict::unknown;
  std::vector<ExpectedFinding> expected;
  Diagnosis diagnosis;
  std::vector<FindingCode> codes;  // of the diagnosis and all findings, without duplicates
  bool detected = false;
  std::string missing;         // why it does not count as detected
  std::string skipped;         // why it could not be injected on this host
  std::string not_applicable;  // why the fault does not apply here
  // Name of a baseline -> problem it reported; empty: none. Only with --compare.
  std::map<std::string, std::string> baselines;
  double seconds = 0;  // including injection
};

struct CleanRun {
  std::string name;  // name of the fault whose control run this is
  Verdict verdict = Verdict::unknown;
  Diagnosis diagnosis;
  std::map<std::string, std::string> baselines;
  double seconds = 0;
};

// The user's repository; only a copy of it was damaged.
struct OriginalRepository {
  std::filesystem::path scenario;
  std::filesystem::path path;
  std::string stanza;
  std::vector<std::string> backups;  // the copied backups: the restored one and those it depends on
  std::size_t files = 0;             // number of files of the stanza, listed before and afterwards
  std::uint64_t copied_bytes = 0;
  std::vector<std::string> left_out;  // parts of the scenario that were left out, in words
  RepositoryChange change;
};

struct ProofScore {
  std::vector<FaultResult> faults;
  std::vector<CleanRun> clean_runs;
  bool stopped_by_control = false;  // the drill without a fault did not pass; nothing was injected
  double seconds = 0;
  BackupTool tool = BackupTool::pgbackrest;
  std::size_t repository_commands = 0;  // calls of the backup tool in all drills
  std::optional<OriginalRepository>
      original;  // absent if the faults were injected into laboratories

  [[nodiscard]] std::size_t detected() const;
  [[nodiscard]] std::size_t skipped() const;
  [[nodiscard]] std::size_t not_applicable() const;
  [[nodiscard]] std::size_t injected() const;
  [[nodiscard]] std::size_t false_alarms() const;
  // That of a failed control run; else fail: a fault was missed or a run without a fault failed;
  // unknown: a fault could not be injected, none applies, or the original repository changed.
  [[nodiscard]] Verdict verdict() const;
};

// Runs the drill of an injected fault.
using Rehearse = std::function<Report(const InjectedFault& injected, std::stop_token stop)>;
// Runs other tools on the injected fault, see baselines.hpp; empty: not run.
using RunBaselines = std::function<std::map<std::string, std::string>(const InjectedFault& injected,
                                                                      std::stop_token stop)>;

struct ProofOptions {
  BackupTool tool = BackupTool::pgbackrest;
  int jobs = 2;
  std::optional<std::size_t> clean_runs;  // upper limit; absent: one per fault
  Rehearse rehearse;
  RunBaselines baselines;
  // If set, a drill without a fault runs first and its report is passed to this function; faults
  // are injected only if it passes.
  std::function<void(const Report&)> on_control = {};
  // How the drill could detect a missed fault; may return an empty text.
  std::function<std::string(const FaultResult&)> advise = {};
  std::function<void(const FaultResult&)> on_fault;
  std::function<void(const CleanRun&)> on_clean_run;
};

// Compares the report with the expectation of the fault, exactly in a laboratory. In a copy of a
// user's repository an alternative code counts as well, and the diagnosis may name the damage as
// further evidence only.
enum class InjectedIn { laboratory, copy };
void evaluate(const Report& report, const std::map<std::string, std::string>& facts,
              InjectedIn where, FaultResult& result);

// Throws Error(interrupted) on a stop request. A fault whose injection throws counts as missed.
ProofScore prove(const std::vector<Fault>& faults, FaultTestbed& testbed,
                 const ProofOptions& options, std::stop_token stop);

}  // namespace pgrehearse
