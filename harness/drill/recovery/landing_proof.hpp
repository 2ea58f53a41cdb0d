// Where recovery really stopped: the position PostgreSQL reports, the transactions on both sides of
// it as the WAL itself has them, and the end of the archive by an independent listing.
#pragma once

#include <stop_token>
#include <string_view>
#include <vector>

#include "harness/drill/recovery/recovery.hpp"
#include "harness/report/report.hpp"
#include "harness/repository/wal_lineage.hpp"

namespace pgrehearse {

// The timeline of the record that ends at `lsn`: by the file that replay fetched for it, and where
// no fetch is on record by what the archive has of the lineage.
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

// Never throws for missing evidence: the landing is then not proved and says what is missing.
Landing prove_landing(const LandingInput& input, std::stop_token stop);

}  // namespace pgrehearse
