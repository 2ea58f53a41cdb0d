#include "harness/cli/archive_search.hpp"

#include <fmt/format.h>

#include "harness/report/run_store.hpp"
#include "harness/reporting/progress/progress_choice.hpp"
#include "harness/repository/placeholder_cluster.hpp"
#include "harness/sandbox/host_resources.hpp"

namespace pgrehearse {

ScanOutcome search_archive(const ScenarioParts& parts, const Preparation& preparation,
                           const ArchiveSearch& search, const std::function<bool(WalChunk)>& take,
                           const CommonOptions& common, const std::stop_token& stop) {
  if (!parts.provisioner) {
    throw Error(ErrorKind::usage, "this command cannot be used with sandbox.type: kubernetes",
                "add --set sandbox.type=local");
  }
  const auto& backup = preparation.choice->backup;
  auto spec = preparation.sandbox_spec();
  spec.run_id = new_run_id();
  auto sandbox = parts.provisioner->create(spec, stop);
  make_placeholder_cluster(*sandbox, backup, sandbox->paths().data, stop);
  auto progress = progress_on_stderr(common.quiet, common.no_color);
  progress->phase_started("read WAL", {});
  const auto began = std::chrono::steady_clock::now();
  const auto outcome = scan_archive(
      {.sandbox = *sandbox,
       .repository = *parts.repository,
       .backup = backup,
       .lineage = *preparation.lineage,
       .begin = search.begin,
       .managers = search.managers,
       .watch = search.watch,
       .workers = host_cpus(),
       .on_progress =
           [&](std::uint64_t done, std::uint64_t total) {
             progress->phase_progress(static_cast<double>(done) / static_cast<double>(total),
                                      fmt::format("{} of {} parts", done, total));
           }},
      take, stop);
  progress->phase_finished({.name = "read WAL",
                            .seconds = Seconds(std::chrono::steady_clock::now() - began).count(),
                            .completed = true});
  // Files cannot be moved out of a container or a virtual machine: that sandbox is removed here.
  if (search.fetched != nullptr && spec.type == "local" && !outcome.remaining.empty()) {
    *search.fetched = {.sandbox = std::move(sandbox), .segments = outcome.remaining};
  }
  return outcome;
}

ResolvedTargets resolve_targets(const std::vector<RecoveryTarget>& targets,
                                const ScenarioParts& parts, const Preparation& preparation,
                                const CommonOptions& common, const std::stop_token& stop) {
  const auto& backup = preparation.choice->backup;
  const auto consistent = backup.stop_lsn.value_or(Lsn{});
  TargetResolver resolver(targets, consistent);
  ResolvedTargets resolved;
  ArchiveSearch search{.managers = {"Transaction", "XLOG"},
                       .watch = {.positions = resolver.positions()},
                       .begin = backup.start_lsn.value_or(consistent),
                       .fetched = &resolved.fetched};
  if (!search.watch.positions.empty()) search.managers.clear();
  search_archive(
      parts, preparation, search, [&](const WalChunk& chunk) { return resolver.take(chunk); },
      common, stop);
  resolved.targets = resolver.in_wal_order();
  for (const auto& each : resolved.targets) {
    const bool found = each.stop && *each.stop >= consistent;
    if (found || each.target.type == TargetType::latest) continue;
    throw Error(
        ErrorKind::usage,
        fmt::format("{} is not in the WAL after backup {}", to_text(each.target), backup.label),
        "'pgrehearse map' shows what can be recovered; for an older target give --backup "
        "oldest, or a label");
  }
  return resolved;
}

}  // namespace pgrehearse
