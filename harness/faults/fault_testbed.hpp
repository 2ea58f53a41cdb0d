// Interface of the two places where faults are injected: laboratories and copies of a user's
// repository.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "harness/faults/damage/damage.hpp"
#include "harness/faults/fault.hpp"
#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

// A injected fault, or none (the control): everything that a drill needs, gone with this object.
struct InjectedFault {
  InjectedFault(InjectionSite injection_site, std::unique_ptr<Laboratory> clone)
      : own(std::move(clone)), site(std::move(injection_site)) {}
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
  // The same drill without a fault.
  virtual std::unique_ptr<InjectedFault> control_of(const Fault& fault, const std::string& name,
                                                    const std::stop_token& stop) = 0;
};

// The actions of one stage, in the fault's order.
void inject_stage(const Fault& fault, DamageStage stage, InjectionSite& site);
// Inserts the fault's own overrides, expanded, before those added by its damage.
void add_overrides_of(const Fault& fault, InjectionSite& site);
// Whether the fault damages a primary.
bool needs_own_primary(const Fault& fault);
// Copies a repository to a new directory. Files are hard links to `from` until one is made private.
void link_repository(const std::filesystem::path& from, const std::filesystem::path& to,
                     InjectionSite& site);

}  // namespace pgrehearse
