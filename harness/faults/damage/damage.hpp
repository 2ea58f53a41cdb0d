// The actions that damage something. Each is a row of the table in damage_table.cpp, works on a
// disposable clone or copy, and reports what it damaged.
#pragma once

#include <span>
#include <stdexcept>
#include <string_view>

#include "harness/faults/damage/injection_site.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

// When an action is applied, in this order.
enum class DamageStage {
  running,       // to the running primary, before the backup
  stopped,       // to the files of the stopped primary, before the backup
  after_backup,  // to the running primary, after its backup
  after_work,    // to the running primary, after its last work was archived
  repository,    // to a copy of the repository
  drill,         // to the drill: its scenario, tools and host
};

// The damage cannot be done on this host; the fault is skipped.
class CannotInject : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The damage does not apply here; the text gives the reason.
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
// nullptr if there is no such action.
const DamageDescription* find_damage(std::string_view name);

}  // namespace pgrehearse
