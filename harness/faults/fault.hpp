// A fault: damage planted on purpose, and what a drill must say about it. One YAML file a fault, in
// scenarios/faults. How damage is done stands in damage_table.cpp.
#pragma once

#include <string>
#include <vector>

#include "harness/report/verdict.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct DamageRequest {
  std::string action;  // a name from the table of damage
  Settings settings;
};

// Several codes: a drill must give a finding of each, with the object of the same place.
struct FaultExpectation {
  Verdict verdict = Verdict::fail;
  std::vector<std::string> codes;
  // Codes that count as well in a repository that is not a laboratory's: what shows damage first
  // depends on its compression and encryption.
  std::vector<std::string> instead = {};
  // May hold @facts@ that the planter reports; empty: any object.
  std::vector<std::string> objects;
};

struct Fault {
  std::string name;
  std::string summary;
  std::string source;  // the incident, issue or document that it stands for
  std::string phase;   // where it arises
  std::vector<std::string> tags;
  std::string laboratory;  // kind of laboratory: plain, encrypted, timelines
  // Changes of the drill as with `run --set`, for the control run as well.
  std::vector<std::string> overrides;
  std::vector<DamageRequest> damage;
  FaultExpectation expect;
};

}  // namespace pgrehearse
