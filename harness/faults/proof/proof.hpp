// The proof that drills fail when they should: each fault is planted and rehearsed, and so is the
// same laboratory without it.
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
  std::string code;
  std::string object;  // as planted; empty: any
};

struct FaultResult {
  Fault fault;
  Verdict verdict = Verdict::unknown;
  std::vector<ExpectedFinding> expected;
  Diagnosis diagnosis;
  std::vector<std::string> codes;  // of the diagnosis and all findings, each once
  bool caught = false;
  std::string missing;         // why it does not count as caught
  std::string skipped;         // why it could not be planted on this host
  std::string not_applicable;  // why there is nothing here that could be damaged that way
  // Name of a peer -> what it caught, in its words; empty text: nothing. Only when asked for.
  std::map<std::string, std::string> peers;
  double seconds = 0;  // planting included
};

struct CleanRun {
  std::string name;  // of the fault that it is the control of
  Verdict verdict = Verdict::unknown;
  Diagnosis diagnosis;
  std::map<std::string, std::string> peers;
  double seconds = 0;
};

// Somebody's own repository, of which only a copy was damaged.
struct OriginalRepository {
  std::filesystem::path scenario;
  std::filesystem::path path;
  std::string stanza;
  std::vector<std::string> sets;  // copied: the restored one and those that it needs
  std::size_t files = 0;          // of the stanza: each was looked at before and afterwards
  std::uint64_t copied_bytes = 0;
  std::vector<std::string> left_out;  // of the scenario, in words
  RepositoryChange change;
};

struct ProofScore {
  std::vector<FaultResult> faults;
  std::vector<CleanRun> clean_runs;
  bool stopped_by_control = false;  // the undamaged drill did not pass: nothing was planted
  double seconds = 0;
  std::size_t repository_commands = 0;         // of the drills, none of them to another repository
  std::optional<OriginalRepository> original;  // absent: the faults were planted in laboratories

  [[nodiscard]] std::size_t caught() const;
  [[nodiscard]] std::size_t skipped() const;
  [[nodiscard]] std::size_t not_applicable() const;
  [[nodiscard]] std::size_t planted() const;
  [[nodiscard]] std::size_t false_alarms() const;
  // Of the control that stopped it; else fail: a fault was missed or a clean run alarmed; unknown:
  // a fault could not be planted, none applies, or the original repository is not what it was.
  [[nodiscard]] Verdict verdict() const;
};

// Rehearses what was planted.
using Rehearse = std::function<Report(const InjectedFault& planted, std::stop_token stop)>;
// What other tools say to what was planted, by name; empty: nobody is asked.
using AskPeers = std::function<std::map<std::string, std::string>(const InjectedFault& planted,
                                                                  std::stop_token stop)>;

struct ProofOptions {
  int jobs = 2;
  std::optional<std::size_t> clean_runs;  // at most so many; absent: one for each fault
  Rehearse rehearse;
  AskPeers peers;
  // When set, one clean run goes first and this is told what it reported; nothing is planted unless
  // it passed.
  std::function<void(const Report&)> on_control = {};
  // What a drill would need to catch what it has missed; may be empty.
  std::function<std::string(const FaultResult&)> advise = {};
  std::function<void(const FaultResult&)> on_fault;
  std::function<void(const CleanRun&)> on_clean_run;
};

// Whether the report says of the planted fault what it must: to the letter in a laboratory. What
// shows first in a copy of another repository depends on that, so there a code that does as well
// counts, and a diagnosis that tells something else beside it.
enum class InjectedIn { laboratory, copy };
void judge(const Report& report, const std::map<std::string, std::string>& facts, InjectedIn place,
           FaultResult& result);

// Throws Error(interrupted) on a stop request; what one fault's planting throws counts against it.
ProofScore prove(const std::vector<Fault>& faults, FaultTestbed& ground,
                 const ProofOptions& options, std::stop_token stop);

}  // namespace pgrehearse
