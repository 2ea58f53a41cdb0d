#include "harness/history/evidence/archive.hpp"

#include <fmt/format.h>

#include <fstream>
#include <set>

#include "harness/common/error.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/text.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/common/version.hpp"
#include "harness/history/evidence/drill_recording.hpp"
#include "harness/history/evidence/page.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/history/evidence/signature.hpp"
#include "harness/history/ledger_csv.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& file, const std::string& reason) {
  throw Error(ErrorKind::environment, fmt::format("cannot write {}: {}", file.string(), reason),
              "choose another target, or free disk space");
}

void write_file(const fs::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  if (!stream.flush()) refuse(file, "is the disk full?");
}

bool is_archive(const fs::path& target) {
  const auto name = target.filename().string();
  return name.ends_with(".tar.gz") || name.ends_with(".tgz");
}

// A directory next to the target; removed unless it was renamed.
class Staging {
 public:
  explicit Staging(const fs::path& target) {
    auto pattern = (fs::absolute(target).parent_path() / ".pgrehearse-evidence-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) {
      refuse(target, "the directory does not exist, or this account may not write to it");
    }
    path_ = pattern;
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

fs::path directory_of(const LedgerRow& row, const fs::path& state) {
  std::error_code ignored;
  if (fs::is_directory(row.directory, ignored)) return row.directory;
  return RunStore(state).directory_of(row.scenario, row.id);
}

// Only regular files: what a link points to is not part of the drill.
void copy_files(const fs::path& from, const fs::path& to, const std::stop_token& stop) {
  fs::create_directories(to);
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    throw_if_stopped(stop);
    const auto target = to / fs::relative(entry.path(), from);
    if (entry.is_symlink()) continue;
    if (entry.is_directory()) fs::create_directories(target);
    if (entry.is_regular_file()) fs::copy_file(entry.path(), target);
  }
}

class Archive {
 public:
  Archive(Ledger& ledger, const EvidenceRequest& request, const fs::path& root,
          const std::stop_token& stop)
      : ledger_(ledger), request_(request), root_(root), stop_(stop) {}

  EvidenceSummary write(const std::optional<std::string>& signer) {
    auto drills = ledger_.list(request_.filter);
    if (drills.empty()) {
      throw Error(ErrorKind::usage, "no drill in the ledger matches",
                  "'pgrehearse history' lists the drills; --since takes a date or a duration");
    }
    EvidenceSummary summary{.drills = drills.size()};
    for (const auto& row : drills) {
      if (row.host != request_.host) continue;
      const auto directory = directory_of(row, request_.state);
      std::error_code ignored;
      if (!fs::is_directory(directory, ignored)) continue;
      copy_files(directory, root_ / "drills" / row.scenario / row.id, stop_);
      ++summary.directories;
    }
    write_file(root_ / "drills.csv", csv_of(drills));
    EvidenceFacts facts{.host = request_.host,
                        .exported = request_.now,
                        .operator_account = operator_of_this_process(),
                        .program_version = std::string(pgrehearse_version()),
                        .signer = signer.value_or(""),
                        .drills = std::move(drills)};
    write_chain(facts, summary);
    write_file(root_ / "README.md", evidence_page(facts));
    write_file(root_ / "verify.sh", evidence_script());
    return summary;
  }

 private:
  // From the first entry of the drills to the end.
  void write_chain(EvidenceFacts& facts, EvidenceSummary& summary) {
    std::set<std::string> wanted;
    for (const auto& row : facts.drills) wanted.insert(row.id);
    std::ofstream chain(root_ / "chain", std::ios::binary);
    std::ofstream entries(root_ / "entries", std::ios::binary);
    ledger_.for_each_entry([&](const LedgerEntry& entry) {
      if (facts.first_entry == 0 && !wanted.contains(entry.drill)) return;
      if (facts.first_entry == 0) facts.first_entry = entry.sequence;
      ++summary.entries;
      chain << fmt::format("{} {} {} {}\n", entry.sequence, entry.previous, entry.hash,
                           entry.payload.empty() ? "removed-by-prune" : entry.kind);
      entries << entry.payload << '\n';
      facts.last_entry = entry.sequence;
      facts.last_hash = entry.hash;
    });
    if (!chain.flush() || !entries.flush()) refuse(root_, "is the disk full?");
  }

  Ledger& ledger_;
  const EvidenceRequest& request_;
  const fs::path& root_;
  const std::stop_token& stop_;
};

void pack(const fs::path& root, const EvidenceRequest& request, CommandRunner& runner,
          const std::stop_token& stop) {
  const auto name = request.target.filename().string();
  const auto top = name.substr(0, name.find('.'));
  const auto file = root.parent_path() / (root.filename().string() + ".tar.gz");
  const auto result =
      runner.run({.program = "tar",
                  .arguments = {"--create", "--gzip", "--file", file, "--directory", root,
                                "--owner=0", "--group=0", "--numeric-owner", "--sort=name",
                                "--transform", fmt::format("s,^\\.,{},", top), "."},
                  .timeout = std::chrono::hours(4)},
                 stop);
  std::error_code failure;
  if (result.succeeded()) fs::rename(file, request.target, failure);
  if (!result.succeeded() || failure) {
    std::error_code ignored;
    fs::remove(file, ignored);
    throw_if_cancelled(result);
    refuse(request.target,
           failure ? failure.message() : "tar: " + std::string(trim(result.error_output)));
  }
}

}  // namespace

EvidenceSummary write_evidence(Ledger& ledger, const EvidenceRequest& request,
                               CommandRunner& runner, const std::stop_token& stop) {
  std::error_code failure;
  if (fs::exists(request.target, failure)) {
    throw Error(ErrorKind::usage, fmt::format("{} exists", request.target.string()),
                "choose another name; evidence is not overwritten");
  }
  const Staging staging(request.target);
  std::optional<std::string> signer;
  if (request.key) signer = std::string(trim(allowed_signer(*request.key, runner, stop)));
  EvidenceSummary summary;
  try {
    summary = Archive(ledger, request, staging.path(), stop).write(signer);
    if (signer) write_file(staging.path() / "allowed_signers", *signer + "\n");
    write_manifest(staging.path());
    if (request.key) sign(staging.path() / manifest_name, *request.key, runner, stop);
  } catch (const fs::filesystem_error& error) {
    refuse(request.target, error.what());
  }
  if (is_archive(request.target)) {
    pack(staging.path(), request, runner, stop);
  } else {
    fs::permissions(staging.path(), fs::perms(0750), failure);
    fs::rename(staging.path(), request.target, failure);
    if (failure) refuse(request.target, failure.message());
  }
  return summary;
}

}  // namespace pgrehearse
