// What a planter can do to a laboratory. Each action is a row of the table in damage_table.cpp; it
// works on a clone or a copy that is thrown away, and reports what it really hit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "harness/drill/settings.hpp"
#include "harness/laboratory/laboratory.hpp"

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
class CannotPlant : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Where a fault is planted. Everything below `directory` is thrown away afterwards.
struct PlantingSite {
  Laboratory& laboratory;           // a clone for what damages the primary; otherwise only read
  std::filesystem::path directory;  // of this fault alone
  std::filesystem::path repository;
  std::filesystem::path configuration;            // pgBackRest's, of that repository
  std::filesystem::path earlier_data = {};        // PGDATA as it was before the primary's last work
  std::map<std::string, std::string> files = {};  // "sales.orders" -> "base/16384/16390"
  // What the row_counts check shall expect: database, relation, rows.
  std::map<std::string, std::map<std::string, std::int64_t>> rows = {};
  std::vector<std::string> overrides = {};        // of the scenario, as with `run --set`
  std::map<std::string, std::string> facts = {};  // what was hit: segment, relation, file, ...
  std::function<Laboratory&()> other;  // another cluster with a stanza of its own, running
  std::vector<std::filesystem::path> directories = {};  // elsewhere, removed when the fault is done
  std::vector<std::filesystem::path> mounts = {};       // unmounted when the fault is done
  CommandRunner& runner;
  std::stop_token stop;
};

struct DamageDescription {
  std::string_view name;
  std::string_view summary;
  DamageStage stage = DamageStage::repository;
  std::span<const KeyDescription> keys = {};
  // Throws Error(internal) when there is nothing such to damage, or CannotPlant.
  void (*plant)(PlantingSite& site, const Settings& settings) = nullptr;
};

std::span<const DamageDescription> damage_table();
// nullptr when there is no such action.
const DamageDescription* find_damage(std::string_view name);

}  // namespace pgrehearse
