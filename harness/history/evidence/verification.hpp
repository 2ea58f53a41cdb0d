// Verifies a ledger: its chain, its rows, and the files of the run directories on this host.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "harness/history/evidence/chain_verifier.hpp"
#include "harness/history/ledger.hpp"

namespace pgrehearse {

struct VerificationRequest {
  std::string host;             // whose run directories are read
  std::filesystem::path state;  // where they are, if they were moved
  // An entry that was noted before, as `history verify` prints it.
  std::optional<std::pair<std::uint64_t, std::string>> known_entry = {};
  // Verifies the signature of a run directory's entry: nullopt if it is valid, else the problem.
  // Empty: signatures are not verified.
  std::function<std::optional<std::string>(const std::filesystem::path& run_directory)> signature =
      {};
};

struct LedgerVerification {
  std::vector<LedgerProblem> problems;
  std::vector<std::string> notes;  // what could not be verified here
  std::uint64_t entries = 0;
  std::uint64_t drills = 0;
  std::uint64_t directories = 0;  // whose files were verified
  std::string head;               // "1234:9f86...": the newest entry
};

// Throws Error(environment) or Error(interrupted).
LedgerVerification verify_ledger(Ledger& ledger, const VerificationRequest& request,
                                 const std::stop_token& stop);

}  // namespace pgrehearse
