// Where recovery actually stopped: the position that PostgreSQL reports, the transactions before
// and after it in the WAL, and the end of the archive from an independent listing.
#pragma once

#include <stop_token>
#include <string_view>
#include <vector>

#include "harness/drill/recovery/recovery.hpp"
#include "harness/report/report.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// The timeline of the record that ends at `lsn`: from the file that replay fetched for it,
// otherwise from the archive's lineage.
Timeline timeline_of_landing(const WalLineage& lineage, const std::vector<WalRequest>& requests,
                             Lsn lsn);

struct LandingInput {
  Sandbox& sandbox;
  BackupRepository& repository;
  const Backup& backup;
  const RecoveryTarget& target;
  const RecoveryOutcome& recovery;
  const WalLineage& lineage;
};

// Missing evidence is not an error: the landing is then not proved and names what is missing.
Landing prove_landing(const LandingInput& input, std::stop_token stop);

}  // namespace pgrehearse
