// The declarative half of a check: name, settings, and the instance state it needs.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "harness/common/finding_code.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

class Check;  // harness/drill/check.hpp

// The state of the instance while a check runs. A state that no selected check needs is not
// entered.
enum class InstanceState {
  any,         // needs no instance: runs during the restore (repository, archive)
  paused,      // read-only at the landing
  read_write,  // after promotion
  stopped,     // cleanly shut down
};
std::string_view name_of(InstanceState state);

// A row of the check table (checks/table.cpp). `weight` orders checks of one state: heavier first.
struct CheckDescription {
  std::string_view name;
  std::string_view summary;  // one line, for `pgrehearse checks` and the reference
  std::span<const FindingCode> finds;
  InstanceState state = InstanceState::paused;
  bool always = false;  // runs in every drill without being listed
  bool needs_primary = false;
  bool needs_local_sandbox = false;  // a scenario with another kind of sandbox is an error
  bool promotes = false;             // the instance is promoted before the check's state
  int weight = 0;
  std::span<const KeyDescription> keys = {};
  // Throws Error(usage) for settings that are valid individually but not in combination.
  void (*validate)(const Settings& settings) = nullptr;
  std::unique_ptr<Check> (*create)(const Settings& settings) = nullptr;
  // For a state that depends on the settings; nullptr: `state`.
  InstanceState (*state_for)(const Settings& settings) = nullptr;
};

}  // namespace pgrehearse
