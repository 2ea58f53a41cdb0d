// The scenario's settings for running a drill in a Kubernetes pod.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/units.hpp"

namespace pgrehearse {

struct KubernetesSpec {
  std::string image;               // with pgrehearse, PostgreSQL and pgBackRest
  bool repository_egress = false;  // the pod may connect to `repository_addresses`
  std::string context;             // of the kubectl configuration; empty: the current one
  std::string name_space;          // empty: that of the context
  // Secret with the files of the pgBackRest configuration directory.
  std::string config_secret;
  // Persistent volume claim with the repository, and its path in the pgBackRest configuration.
  std::string repository_claim;
  std::filesystem::path repository_path = "/var/lib/pgbackrest";
  std::vector<std::string> repository_addresses;  // "10.0.3.0/24:443"
  std::string pull_secret;                        // for the image's registry
  int user = 999;                                 // uid and gid of the image's account
  std::optional<Bytes> storage;                   // of the volume; empty: from the backup's size
  std::chrono::milliseconds start_timeout{std::chrono::minutes(10)};  // until the pod is running
};

}  // namespace pgrehearse
