// The proof that drills fail when they should: each fault is planted and rehearsed, and so is the
// same laboratory without it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/drill/report.hpp"
#include "harness/faults/fault.hpp"
#include "harness/faults/fault_laboratory.hpp"

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
  std::string missing;  // why it does not count as caught
  std::string skipped;  // why it could not be planted on this host
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

struct ProofScore {
  std::vector<FaultResult> faults;
  std::vector<CleanRun> clean_runs;
  double seconds = 0;
  std::size_t repository_commands = 0;  // of the drills, every one inside the laboratories

  [[nodiscard]] std::size_t caught() const;
  [[nodiscard]] std::size_t skipped() const;
  [[nodiscard]] std::size_t planted() const { return faults.size() - skipped(); }
  [[nodiscard]] std::size_t false_alarms() const;
  // fail: a fault was missed or a clean run alarmed; unknown: a fault could not be planted.
  [[nodiscard]] Verdict verdict() const;
};

// Rehearses what was planted.
using Rehearse = std::function<Report(const PlantedFault& planted, std::stop_token stop)>;
// What other tools say to what was planted, by name; empty: nobody is asked.
using AskPeers = std::function<std::map<std::string, std::string>(const PlantedFault& planted,
                                                                  std::stop_token stop)>;

struct ProofOptions {
  int jobs = 2;
  std::optional<std::size_t> clean_runs;  // at most so many; absent: one for each fault
  Rehearse rehearse;
  AskPeers peers;
  std::function<void(const FaultResult&)> on_fault;
  std::function<void(const CleanRun&)> on_clean_run;
};

// Whether the report says of the planted fault what it must.
void judge(const Report& report, const std::map<std::string, std::string>& facts,
           FaultResult& result);

// Throws Error(interrupted) on a stop request; what one fault's planting throws counts against it.
ProofScore prove(const std::vector<Fault>& faults, FaultLaboratories& laboratories,
                 const ProofOptions& options, std::stop_token stop);

}  // namespace pgrehearse
