// The scenario: the validated description of one drill.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/postgres/connection_parameters.hpp"
#include "harness/primary/primary_spec.hpp"
#include "harness/repository/backup_repository.hpp"
#include "harness/sandbox/sandbox.hpp"
#include "harness/scenario/kubernetes_spec.hpp"
#include "harness/scenario/language/settings.hpp"
#include "harness/scenario/notification/notification_spec.hpp"
#include "harness/serve/schedule/schedule.hpp"

namespace pgrehearse {

struct CheckRequest {
  std::string check;  // a name from the check table
  std::string name;   // shown in the report; `name:`, else the name of the check
  Settings settings;
};

struct Objectives {
  std::optional<std::chrono::milliseconds> rto;
  std::optional<std::chrono::milliseconds> rpo;
};

// Where the drill is recorded.
struct LedgerSpec {
  std::optional<ConnectionParameters> postgres;  // secret; absent: the state directory's ledger
  std::optional<std::filesystem::path> key;      // SSH key that signs the entry of each drill
};

struct Scenario {
  std::string name;
  std::filesystem::path file;  // empty if not read from a file
  std::string hash;            // SHA-256 of the text and the overrides, hexadecimal
  RepositorySpec repository;
  // The text with overrides, without secrets, as it is stored with the drill.
  std::string stored_text;
  LedgerSpec ledger;
  std::optional<PrimarySpec> primary;  // secret: may contain passwords
  RecoveryTarget target;
  std::optional<std::uint64_t> seed;  // of random choices; absent: a new one for each drill
  SandboxSpec sandbox;                // the drill sets run_id and major
  Objectives objectives;
  std::vector<CheckRequest> checks;
  std::map<std::string, std::filesystem::path> reports;  // format name -> file
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<Schedule> schedule;
  std::vector<NotificationSpec> notifications;
  // Set: the whole drill runs in a pod, with the scenario `inside_pod`.
  std::optional<KubernetesSpec> kubernetes;
  std::string inside_pod;
};

}  // namespace pgrehearse
