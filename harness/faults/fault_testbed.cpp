#include "harness/faults/fault_testbed.hpp"

#include <fmt/format.h>
#include <sys/mount.h>

#include <algorithm>

#include "harness/common/error.hpp"
#include "harness/laboratory/scenario_text.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

InjectedFault::~InjectedFault() {
  for (const auto& mount : site.mounts) umount2(mount.c_str(), MNT_DETACH);
  std::error_code ignored;
  const bool own_primary = own != nullptr;
  own.reset();
  for (const auto& directory : site.directories) fs::remove_all(directory, ignored);
  if (!own_primary) fs::remove_all(site.directory, ignored);
}

Laboratory& primary_of(InjectionSite& site) {
  if (site.primary == nullptr) {
    throw Error(ErrorKind::internal, "no primary may be damaged here");
  }
  return *site.primary;
}

bool needs_own_primary(const Fault& fault) {
  return std::any_of(fault.damage.begin(), fault.damage.end(), [](const auto& request) {
    return find_damage(request.action)->stage < DamageStage::repository;
  });
}

void inject_stage(const Fault& fault, DamageStage stage, InjectionSite& site) {
  for (const auto& request : fault.damage) {
    const auto* action = find_damage(request.action);
    if (action->stage == stage) action->inject(site, request.settings);
  }
}

void add_overrides_of(const Fault& fault, InjectionSite& site) {
  std::vector<std::string> overrides;
  for (const auto& value : fault.overrides) overrides.push_back(expand_scenario(value, site.facts));
  site.overrides.insert(site.overrides.begin(), overrides.begin(), overrides.end());
}

void link_repository(const fs::path& from, const fs::path& to, InjectionSite& site) {
  const auto copied = site.runner.run(
      {.program = "cp",
       .arguments = {"--archive", "--link", "--no-target-directory", from.native(), to.native()}},
      site.stop);
  if (!copied.succeeded()) {
    throw Error(ErrorKind::environment,
                "the repository could not be copied: " + copied.error_output);
  }
}

}  // namespace pgrehearse
