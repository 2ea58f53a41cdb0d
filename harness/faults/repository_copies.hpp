// Injects faults into copies of a user's repository. One copy is made of the original; the others
// are hard links to it until they are damaged.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "harness/faults/applicability.hpp"
#include "harness/faults/fault_testbed.hpp"
#include "harness/repository/pgbackrest/configured_repositories.hpp"

namespace pgrehearse {

// The first copy, and the properties of repository and drill.
struct RepositoryCopy {
  std::string id;                    // id of the proof
  std::filesystem::path state;       // state directory, where a laboratory is registered
  std::filesystem::path root;        // contains all files of the proof
  std::filesystem::path repository;  // the copy, below `root`
  ConfiguredRepository original;
  RepositoryTraits traits;
  DrillTraits drill;
  Account account;
  std::string pgbackrest;
  std::filesystem::path binaries;  // empty if the sandbox has its own
  int postgres_major = 0;
  std::string scenario;                // YAML, as written by the user
  std::vector<std::string> overrides;  // the user's --set
  std::map<std::string, std::string> facts;
};

class RepositoryCopies : public FaultTestbed {
 public:
  RepositoryCopies(RepositoryCopy copy, CommandRunner& runner);

  std::unique_ptr<InjectedFault> inject(const Fault& fault, const std::string& name,
                                        const std::stop_token& stop) override;
  std::unique_ptr<InjectedFault> control_of(const Fault& fault, const std::string& name,
                                            const std::stop_token& stop) override;
  // The user's drill without a fault.
  std::unique_ptr<InjectedFault> control(const std::string& name, const std::stop_token& stop);

  // Updated after the control run: where replay ends, and how long a drill may take.
  RepositoryCopy& copy() { return copy_; }

 private:
  std::unique_ptr<InjectedFault> site_for(const std::string& name, const std::stop_token& stop);
  void finish(InjectedFault& injected) const;
  Laboratory& other(const std::stop_token& stop);

  RepositoryCopy copy_;
  CommandRunner& runner_;
  std::once_flag other_built_;
  std::unique_ptr<Laboratory> other_;
};

}  // namespace pgrehearse
