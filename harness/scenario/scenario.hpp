// The scenario: one drill as the user wrote it, validated.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/primary/primary_spec.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/kubernetes_spec.hpp"
#include "harness/scenario/language/settings.hpp"

namespace pgrehearse {

struct CheckRequest {
  std::string check;  // a name from the check table
  std::string name;   // as the report shows it; the check's own name unless `name:` was given
  Settings settings;
};

struct Objectives {
  std::optional<std::chrono::milliseconds> rto;
  std::optional<std::chrono::milliseconds> rpo;
};

struct Scenario {
  std::string name;
  std::filesystem::path file;  // empty when it did not come from one
  std::string hash;            // SHA-256 of the text and the overrides, hexadecimal
  RepositorySpec repository;
  std::optional<PrimarySpec> primary;  // secret: may hold passwords
  RecoveryTarget target;
  SandboxSpec sandbox;  // run_id and major are set by the drill
  Objectives objectives;
  std::vector<CheckRequest> checks;
  std::map<std::string, std::filesystem::path> reports;  // format name -> file
  std::optional<std::chrono::milliseconds> timeout;
  // sandbox.type: kubernetes only
  KubernetesSpec kubernetes;
  std::string inside_pod;  // the scenario for pgrehearse in the pod
};

}  // namespace pgrehearse
