// The explanation in an evidence archive.
#pragma once

#include <string>
#include <vector>

#include "harness/history/ledger.hpp"

namespace pgrehearse {

struct EvidenceFacts {
  std::string host;
  Instant exported;
  std::string operator_account;
  std::string program_version;
  std::uint64_t first_entry = 0;
  std::uint64_t last_entry = 0;
  std::string last_hash;
  std::string signer;             // public key; empty: not signed
  std::vector<LedgerRow> drills;  // newest first
};

// README.md: what the drills proved, which requirements of ISO 27001, DORA and SOC 2 that concerns,
// and how to verify the archive.
std::string evidence_page(const EvidenceFacts& facts);
// verify.sh: what the page says, as a POSIX shell script.
std::string evidence_script();

}  // namespace pgrehearse
