// What a planter can do. Each action is a row of the table in damage_table.cpp; it
// works on a clone or a copy that is thrown away, and reports what it really hit.
#pragma once

#include <span>
#include <stdexcept>
#include <string_view>

#include "harness/faults/damage/injection_site.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

// When an action happens, in this order.
enum class DamageStage {
  running,       // to the running primary, before the backup
  stopped,       // to the primary's files while it is down, before the backup
  after_backup,  // to the running primary, after its backup
  after_work,    // to the running primary, after its last work was archived
  repository,    // to a copy of the repository
  drill,         // to the drill: its scenario, its tools, its place
};

// This host does not let itself be damaged that way: nothing is proved, nothing missed.
class CannotInject : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// There is nothing here that could be damaged that way; the text says what is missing.
class DoesNotApply : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct DamageDescription {
  std::string_view name;
  std::string_view summary;
  DamageStage stage = DamageStage::repository;
  std::span<const KeyDescription> keys = {};
  // Throws DoesNotApply or CannotInject.
  void (*inject)(InjectionSite& site, const Settings& settings) = nullptr;
};

std::span<const DamageDescription> damage_table();
// nullptr when there is no such action.
const DamageDescription* find_damage(std::string_view name);

}  // namespace pgrehearse
