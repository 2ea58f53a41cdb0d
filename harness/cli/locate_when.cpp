#include "harness/cli/locate_when.hpp"

#include <fmt/format.h>

#include "harness/cli/archive_search.hpp"
#include "harness/drill/recovery/recovery.hpp"
#include "harness/locate/bisection.hpp"
#include "harness/report/run_store.hpp"
#include "harness/reporting/progress/progress_choice.hpp"

namespace pgrehearse {

namespace {

struct Commits {
  std::vector<TransactionEnd> all;  // since the backup is consistent
  std::size_t first = 0;            // of those in the range
  std::size_t end = 0;
};

Commits read_commits(const WhenQuestion& question, const ScenarioParts& parts,
                     const Preparation& preparation, const CommonOptions& common,
                     const std::stop_token& stop) {
  const auto consistent = preparation.choice->backup.stop_lsn.value_or(Lsn{});
  Commits commits;
  search_archive(
      parts, preparation, {.managers = {"Transaction"}, .begin = consistent},
      [&](const WalChunk& chunk) {
        for (const auto& end : chunk.ends) {
          if (!end.aborted && end.lsn >= consistent) commits.all.push_back(end);
        }
        return true;
      },
      common, stop);
  commits.end = commits.all.size();
  // Commit times are nearly in WAL order.
  if (question.from) {
    while (commits.first < commits.end && commits.all[commits.first].time &&
           *commits.all[commits.first].time < *question.from) {
      ++commits.first;
    }
  }
  if (question.to) {
    while (commits.end > commits.first && commits.all[commits.end - 1].time &&
           *commits.all[commits.end - 1].time > *question.to) {
      --commits.end;
    }
  }
  return commits;
}

void refuse_false(const WhenQuestion& question) {
  throw Error(ErrorKind::usage,
              fmt::format("the query is not true at the beginning: {}", question.trial.sql),
              "give a query that was true first, or an earlier --from");
}

}  // namespace

WhenAnswer find_when(const WhenQuestion& question, const ScenarioParts& parts,
                     const Preparation& preparation, const CommonOptions& common,
                     const std::stop_token& stop) {
  const auto began = std::chrono::steady_clock::now();
  const auto commits = read_commits(question, parts, preparation, common, stop);
  const auto& backup = preparation.choice->backup;
  auto spec = preparation.sandbox_spec();
  spec.run_id = new_run_id();
  const auto sandbox = parts.provisioner->create(spec, stop);
  auto progress = progress_on_stderr(common.quiet, common.no_color);
  const RecoveryTarget consistent{.type = TargetType::immediate};
  progress->phase_started("restore", {});
  parts.repository->restore(
      backup, consistent, *sandbox,
      [&](const RestoreProgress& done) {
        progress->phase_progress(done.fraction, to_text(done.done));
      },
      stop);
  progress->phase_finished({.name = "restore",
                            .seconds = Seconds(std::chrono::steady_clock::now() - began).count(),
                            .completed = true});
  Instance instance(*sandbox, parts.scratch->path() / "postgresql.log");
  const auto landed = recover({.sandbox = *sandbox,
                               .instance = instance,
                               .repository = *parts.repository,
                               .backup = backup,
                               .target = consistent,
                               .control = read_control_data(*sandbox, sandbox->paths().data, stop)},
                              stop);
  ReplayTrials trials({.sandbox = *sandbox,
                       .instance = instance,
                       .repository = *parts.repository,
                       .backup = backup,
                       .position = landed.replayed},
                      question.trial, stop);
  if (!trials.holds_here() && commits.first == 0) refuse_false(question);
  if (commits.first > 0 && !trials.holds_after(commits.all[commits.first - 1].lsn)) {
    refuse_false(question);
  }
  const auto count = commits.end - commits.first;
  const auto found = first_false(count, [&](std::size_t at) {
    const auto& commit = commits.all[commits.first + at];
    progress->phase_started(fmt::format("try transaction {}", commit.xid), {});
    const auto started = std::chrono::steady_clock::now();
    const bool holds = trials.holds_after(commit.lsn);
    progress->phase_finished(
        {.name = fmt::format("transaction {}: {}", commit.xid, holds ? "true" : "no longer true"),
         .seconds = Seconds(std::chrono::steady_clock::now() - started).count(),
         .completed = true});
    return holds;
  });
  WhenAnswer answer{.commits = count,
                    .trials = trials.trials(),
                    .took = std::chrono::steady_clock::now() - began};
  if (found) {
    answer.commit = commits.all[commits.first + *found];
    answer.later_commits = commits.all.size() - commits.first - *found - 1;
  }
  instance.kill();
  return answer;
}

}  // namespace pgrehearse
