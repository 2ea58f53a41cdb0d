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
  std::string context;     // context of kubectl's configuration; empty: the current one
  std::string name_space;  // empty: the context's namespace
  // A secret containing the files of pgBackRest's configuration directory.
  std::string config_secret;
  // A persistent volume claim with the repository, and its mount point (repo1-path).
  std::string repository_claim;
  std::filesystem::path repository_path = "/var/lib/pgbackrest";
  std::vector<std::string> repository_addresses;  // "10.0.3.0/24:443": the only egress allowed
  std::string pull_secret;                        // for the image's registry
  int user = 999;                                 // user id and group id of the image's account
  std::optional<Bytes> storage;  // size of the volume; empty: derived from the backup's size
  std::chrono::milliseconds patience{std::chrono::minutes(10)};  // for the pod to start
};

}  // namespace pgrehearse
