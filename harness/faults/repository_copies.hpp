// Faults planted in copies of somebody's own repository, rehearsed with his own scenario. One copy
// is made of the original; the others share its files until they are damaged.
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

// The first copy, and what is known of it and of the drill.
struct RepositoryCopy {
  std::string id;                    // of the proof
  std::filesystem::path state;       // of the harness, where a laboratory is registered
  std::filesystem::path root;        // everything of the proof lies below it
  std::filesystem::path repository;  // the copy, below it
  ConfiguredRepository original;
  RepositoryTraits traits;
  DrillTraits drill;
  Account account;
  std::string pgbackrest;
  std::filesystem::path binaries;  // empty where the sandbox has its own
  int postgres_major = 0;
  std::string scenario;                // YAML, as its owner wrote it
  std::vector<std::string> overrides;  // his --set
  std::map<std::string, std::string> facts;
};

class RepositoryCopies : public FaultTestbed {
 public:
  RepositoryCopies(RepositoryCopy copy, CommandRunner& runner);

  std::unique_ptr<InjectedFault> inject(const Fault& fault, const std::string& name,
                                        const std::stop_token& stop) override;
  std::unique_ptr<InjectedFault> control_of(const Fault& fault, const std::string& name,
                                            const std::stop_token& stop) override;
  // His drill where nothing is wrong.
  std::unique_ptr<InjectedFault> control(const std::string& name, const std::stop_token& stop);

  // What the control has shown: where replay ends, how long a drill may take.
  RepositoryCopy& copy() { return copy_; }

 private:
  std::unique_ptr<InjectedFault> site_for(const std::string& name, const std::stop_token& stop);
  void finish(InjectedFault& planted) const;
  Laboratory& other(const std::stop_token& stop);

  RepositoryCopy copy_;
  CommandRunner& runner_;
  std::once_flag other_built_;
  std::unique_ptr<Laboratory> other_;
};

}  // namespace pgrehearse
