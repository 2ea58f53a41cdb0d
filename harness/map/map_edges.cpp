#include "harness/map/map_edges.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/map/map_branches.hpp"
#include "harness/postgres/commit_records.hpp"
#include "harness/process/command.hpp"
#include "harness/repository/placeholder_cluster.hpp"
#include "harness/repository/wal_fetch.hpp"

namespace pgrehearse {

namespace {

// Segments to read backwards from an edge before giving up on a commit there.
constexpr std::uint64_t most_segments = 4;
// Edges per archive; in a repository with more gaps, the oldest windows keep their bounds.
constexpr std::size_t most_edges = 16;

// "rmgr: Heap ... tx: 743, lsn: 0/0153A1F8, prev ...": where the record begins.
std::optional<Lsn> lsn_of_record(std::string_view line) {
  constexpr std::string_view label = " lsn: ";
  const auto at = line.find(label);
  if (!line.starts_with("rmgr: ") || at == std::string_view::npos) return {};
  const auto text = line.substr(at + label.size());
  return parse_lsn(text.substr(0, text.find(',')));
}

class ArchiveReader {
 public:
  ArchiveReader(RecoveryMap& map, MapArchive& archive, const EdgeServices& services,
                const std::stop_token& stop)
      : map_(map), archive_(archive), services_(services), stop_(stop) {}

  void read() {
    try {
      prepare();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) throw;
      for (auto& branch : archive_.branches) {
        for (auto& window : branch.windows) window.note = error.what();
      }
      return;
    }
    for (auto& branch : archive_.branches) read(branch);
  }

 private:
  [[nodiscard]] const Backup& newest() const { return archive_.backups.back().backup; }

  void prepare() {
    auto spec = with_access(services_.sandbox, services_.repository.access());
    spec.postgres_major = newest().postgres_major;
    if (services_.provisioner == nullptr) {
      throw Error(ErrorKind::environment,
                  fmt::format("sandbox.type {} can only run whole drills", spec.type),
                  "add --set sandbox.type=local", FindingCode::env_kubernetes);
    }
    sandbox_ = services_.provisioner->create(spec, stop_);
    make_placeholder_cluster(*sandbox_, newest(), sandbox_->paths().data, stop_);
  }

  void read(MapBranch& branch) {
    for (auto window = branch.windows.rbegin(); window != branch.windows.rend(); ++window) {
      read(branch, *window);
      for (auto& loss : branch.losses) {
        if (loss.begin.lsn == window->end.lsn) loss.begin = window->end;
      }
    }
    for (auto& loss : branch.losses) {
      if (!loss.ended_by_backup && branch.newest.number > 0) {
        loss.end.time = read(branch.newest, loss.end.lsn).newest_commit;
      }
      // The newest commit there may be older than the loss, and commit times not in WAL order.
      order_times(loss);
    }
  }

  void read(const MapBranch& branch, MapWindow& window) {
    if (edges_++ >= most_edges) {
      window.note = fmt::format("WAL was read only for the newest {} windows", most_edges);
      return;
    }
    std::uint64_t back = 0;
    for (; back < most_segments && window.last.number >= back; ++back) {
      const auto number = window.last.number - back;
      if (start_of({.number = number + 1}, archive_.segment_size) <= window.begin.lsn) break;
      const auto timeline = back == 0 ? window.last.timeline : timeline_at(branch, number);
      const auto edge = read({.timeline = timeline, .number = number}, window.end.lsn);
      if (!window.last_record) window.last_record = edge.last_record;
      window.end.time = edge.newest_commit;
      if (!problem_.empty()) {
        window.note = problem_;
        map_.unknown.push_back(problem_);
        return;
      }
      if (window.end.time) return;
    }
    window.note = fmt::format("no commit in the last {} segments", back);
  }

  [[nodiscard]] Timeline timeline_at(const MapBranch& branch, std::uint64_t number) const {
    const auto fork = std::ranges::find_if(branch.switches, [&](const auto& each) {
      return number < each.switch_lsn.value / archive_.segment_size;
    });
    return fork == branch.switches.end() ? branch.timeline : fork->timeline;
  }

  struct Edge {
    std::optional<Instant> newest_commit;
    std::optional<Lsn> last_record;
  };

  // The records that begin before `end` in a segment.
  Edge read(WalSegment segment, Lsn end) {
    problem_.clear();
    const auto name = file_name(segment, archive_.segment_size);
    const auto file = sandbox_->paths().wal / name;
    const auto fetched = fetch_wal({.repository = services_.repository,
                                    .backup = newest(),
                                    .sandbox = *sandbox_,
                                    .data = sandbox_->paths().data},
                                   name, file, stop_);
    if (!fetched.succeeded()) {
      problem_ = fmt::format("segment {} is listed but cannot be fetched (exit code {}): {}", name,
                             fetched.exit_code, error_excerpt(fetched));
      return {};
    }
    return read(file, end);
  }

  // pg_waldump ends without an error at a record that continues in the next segment. Commit times
  // are not strictly in WAL order; recovery stops at the first one after its target.
  Edge read(const std::filesystem::path& file, Lsn end) {
    Edge edge;
    const auto on_line = [&](std::string_view line) {
      const auto lsn = lsn_of_record(line);
      if (!lsn || *lsn >= end) return;
      edge.last_record = lsn;
      for (const auto& commit : parse_commits(line)) {
        if (commit.time) {
          edge.newest_commit = std::max(edge.newest_commit.value_or(*commit.time), *commit.time);
        }
      }
    };
    const auto result = sandbox_->run({.program = sandbox_->program("pg_waldump"),
                                       .arguments = {file},
                                       .timeout = std::chrono::minutes(5),
                                       .on_line = on_line,
                                       .keep_output = 4096},
                                      stop_);
    throw_if_cancelled(result);
    // Without a record that begins and ends in the segment, there is nothing to read.
    const bool empty =
        result.error_output.find("could not find a valid record") != std::string::npos;
    if (!result.succeeded() && !empty) {
      problem_ = fmt::format("segment {} cannot be read to its end: {}", file.filename().string(),
                             error_excerpt(result));
    }
    return edge;
  }

  RecoveryMap& map_;
  MapArchive& archive_;
  const EdgeServices& services_;
  const std::stop_token& stop_;
  std::unique_ptr<Sandbox> sandbox_;
  std::size_t edges_ = 0;
  std::string problem_;  // why the last segment could not be read
};

}  // namespace

void read_edges(RecoveryMap& map, const EdgeServices& services, const std::stop_token& stop) {
  for (auto& archive : map.archives) {
    if (!archive.backups.empty()) ArchiveReader(map, archive, services, stop).read();
  }
}

}  // namespace pgrehearse
