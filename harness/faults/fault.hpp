// A fault: damage injected on purpose, and the result that a drill must report. One YAML file per
// fault in scenarios/faults/catalogue; damage_table.cpp lists the kinds of damage.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "harness/laboratory/backup_tool.hpp"
#include "harness/report/verdict.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct DamageRequest {
  std::string action;  // a name from the damage table
  Settings settings;
};

// A drill must report a finding of each code, with the object at the same index.
struct FaultExpectation {
  Verdict verdict = Verdict::fail;
  std::vector<FindingCode> codes;
  // Codes also accepted in a copy of a user's repository: which code detects the damage first
  // depends on compression and encryption.
  std::vector<FindingCode> alternatives = {};
  // The kind of error that must end the drill, as in the report's error_kind; empty: any or none.
  std::string error = {};
  // May contain @facts@ reported by the injection; empty: any object.
  std::vector<std::string> objects;
};

struct Fault {
  std::string name;
  std::string summary;
  std::string source;  // the incident, issue or document it is based on
  std::string phase;   // where it occurs
  std::vector<std::string> tags;
  std::string laboratory;  // kind of laboratory: plain, encrypted or timelines
  // Overrides for the drill, as for `run --set`; also used in the control run.
  std::vector<std::string> overrides;
  std::vector<DamageRequest> damage;
  FaultExpectation expect;
  // With another backup tool, where it is not the same.
  std::map<BackupTool, FaultExpectation> expect_with = {};
};

}  // namespace pgrehearse
