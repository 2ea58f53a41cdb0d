// Where planted faults come from: laboratories of our own, or copies of somebody's repository.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "harness/faults/damage/damage.hpp"
#include "harness/faults/fault.hpp"
#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

// A planted fault, or none (the control): everything that a drill needs, gone with this object.
struct InjectedFault {
  InjectedFault(InjectionSite planting, std::unique_ptr<Laboratory> clone)
      : own(std::move(clone)), site(std::move(planting)) {}
  InjectedFault(const InjectedFault&) = delete;
  InjectedFault& operator=(const InjectedFault&) = delete;
  ~InjectedFault();

  std::unique_ptr<Laboratory> own;  // nullptr where the shared one serves, or there is none
  InjectionSite site;
  std::string scenario;  // YAML
};

class FaultTestbed {
 public:
  virtual ~FaultTestbed() = default;
  // `name` names its directory. Both are safe from several threads. Throws DoesNotApply,
  // CannotInject.
  virtual std::unique_ptr<InjectedFault> inject(const Fault& fault, const std::string& name,
                                                const std::stop_token& stop) = 0;
  // The same drill where nothing is wrong.
  virtual std::unique_ptr<InjectedFault> control_of(const Fault& fault, const std::string& name,
                                                    const std::stop_token& stop) = 0;
};

// The actions of one stage, in the fault's order.
void inject_stage(const Fault& fault, DamageStage stage, InjectionSite& site);
// Puts the fault's own overrides, expanded, in front of those that its damage has added.
void add_overrides_of(const Fault& fault, InjectionSite& site);
// Whether something of the fault is planted in a primary.
bool needs_own_primary(const Fault& fault);
// Copies a repository into a directory that is not there yet. The files share their content with
// `from` until one is made its own.
void link_repository(const std::filesystem::path& from, const std::filesystem::path& to,
                     InjectionSite& site);

}  // namespace pgrehearse
