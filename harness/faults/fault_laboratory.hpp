// The laboratories for faults: a seed is built once, everything else is a copy of it.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "harness/faults/fault_testbed.hpp"
#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

class FaultLaboratories : public FaultTestbed {
 public:
  struct Place {
    std::filesystem::path state;      // state directory, where laboratories are registered
    std::filesystem::path directory;  // parent directory of the laboratories; empty: `state`
    std::string id;                   // prefix of their names
    BackupTool tool = BackupTool::pgbackrest;
  };
  // Builds nothing yet.
  FaultLaboratories(Place place, CommandRunner& runner);

  // Builds the seed: a stopped cluster and a full backup of it.
  void build_seed(const std::stop_token& stop);
  std::unique_ptr<InjectedFault> inject(const Fault& fault, const std::string& name,
                                        const std::stop_token& stop) override;
  std::unique_ptr<InjectedFault> control_of(const Fault& fault, const std::string& name,
                                            const std::stop_token& stop) override;
  [[nodiscard]] const std::filesystem::path& root() const { return seed_->paths().root; }

 private:
  struct Shared {
    std::once_flag built;
    std::unique_ptr<Laboratory> laboratory;
    std::map<std::string, std::string> facts;
  };

  [[nodiscard]] LaboratoryOptions options(const std::string& name) const;
  std::unique_ptr<Laboratory> clone(const std::string& name, const std::string& kind,
                                    const std::stop_token& stop);
  Laboratory& other(const std::stop_token& stop);
  Shared& shared(const std::string& kind, const std::stop_token& stop);
  void build_shared(const std::string& kind, Shared& shared, const std::stop_token& stop);
  InjectionSite site_of(Laboratory& laboratory, const std::string& name,
                        const std::stop_token& stop);
  // Injects nothing yet; creates the directory for its files.
  std::unique_ptr<InjectedFault> at_shared(Shared& source, const std::string& name,
                                           const std::stop_token& stop);
  std::unique_ptr<InjectedFault> inject_in_clone(const Fault& fault, const std::string& name,
                                                 const std::stop_token& stop);
  std::unique_ptr<InjectedFault> inject_in_copy(const Fault& fault, const std::string& name,
                                                const std::stop_token& stop);
  // Sets the scenario for what has been injected.
  static void finish(const Fault& fault, InjectedFault& injected);

  Place place_;
  CommandRunner& runner_;
  std::unique_ptr<Laboratory> seed_;
  std::map<std::string, Shared> shared_;
  std::once_flag other_built_;
  std::unique_ptr<Laboratory> other_;
};

}  // namespace pgrehearse
