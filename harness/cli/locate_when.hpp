// `locate --when`: the first commit after which a query is no longer true.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "harness/cli/command_table.hpp"
#include "harness/cli/wiring.hpp"
#include "harness/drill/preparation.hpp"
#include "harness/locate/replay_trials.hpp"
#include "harness/locate/wal_chunk.hpp"

namespace pgrehearse {

struct WhenQuestion {
  TrialQuestion trial;
  std::optional<Instant> from;
  std::optional<Instant> to;
};

struct WhenAnswer {
  std::optional<TransactionEnd> commit;  // nullopt: the query is still true at the end
  std::uint64_t commits = 0;             // that were searched
  std::uint64_t later_commits = 0;
  std::size_t trials = 0;
  Seconds took{0};
};

// Restores the backup once, and replays between its end and the commit. Throws Error(usage) if the
// query is not true at the beginning.
WhenAnswer find_when(const WhenQuestion& question, const ScenarioParts& parts,
                     const Preparation& preparation, const CommonOptions& common,
                     const std::stop_token& stop);

}  // namespace pgrehearse
