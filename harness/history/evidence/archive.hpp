// The evidence of drills for an auditor: records, logs, the chain of the ledger, hashes, a
// signature, and a page that explains them. It can be verified without pgrehearse.
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "harness/history/ledger.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

struct EvidenceRequest {
  LedgerFilter filter;
  std::string host;                               // whose run directories are copied
  std::filesystem::path state;                    // where they are, if they were moved
  std::filesystem::path target;                   // a new file *.tar.gz, or a new directory
  std::optional<std::filesystem::path> key = {};  // SSH key that signs SHA256SUMS
  Instant now;
};

struct EvidenceSummary {
  std::size_t drills = 0;
  std::size_t directories = 0;  // run directories that were copied
  std::size_t entries = 0;      // of the chain
};

// Throws Error(usage) if the target exists or nothing matches, Error(environment) otherwise.
EvidenceSummary write_evidence(Ledger& ledger, const EvidenceRequest& request,
                               CommandRunner& runner, const std::stop_token& stop);

}  // namespace pgrehearse
