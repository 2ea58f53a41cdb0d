// What a scenario says of the cluster that is to run its drill in a pod.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

struct KubernetesSpec {
  std::string context;     // of kubectl's configuration; empty: its current one
  std::string name_space;  // empty: the context's
  // A secret with the files of pgBackRest's configuration directory.
  std::string config_secret;
  // A persistent volume claim with the repository, and where the configuration says that it lies.
  std::string repository_claim;
  std::filesystem::path repository_path = "/var/lib/pgbackrest";
  std::vector<std::string> repository_addresses;  // "10.0.3.0/24:443": the only way out
  std::string pull_secret;                        // for the image's registry
  int user = 999;                                 // number of the image's account, and of its group
  std::optional<Bytes> storage;                   // of the volume; empty: from the backup's size
  std::chrono::milliseconds patience{std::chrono::minutes(10)};  // until the pod runs
};

}  // namespace pgrehearse
