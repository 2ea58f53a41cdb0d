#include "harness/history/evidence/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "harness/common/sha256.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/history/ledger_columns.hpp"
#include "harness/report/run_store.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

std::string name_of_drill(const LedgerRow& row) {
  return fmt::format("drill {} of {}", row.id, row.scenario);
}

class Verifier {
 public:
  Verifier(const VerificationRequest& request, const ChainVerifier& chain,
           LedgerVerification& result)
      : request_(request), chain_(chain), result_(result) {}

  void check_row(const LedgerRow& row, std::uint64_t sequence) {
    ++result_.drills;
    seen_.insert(row.id);
    if (oldest_.empty() || row.id < oldest_) oldest_ = row.id;
    const auto found = chain_.newest().find(row.id);
    if (found == chain_.newest().end()) {
      add(row, "has no entry in the chain: it was inserted");
      return;
    }
    const auto& entry = found->second;
    const auto expected = hash_of_entry(entry.previous, json_line(row, entry.sequence, entry.kind));
    if (sequence != entry.sequence || expected != entry.hash) {
      add(row,
          fmt::format("differs from entry {} of the chain: the row was changed", entry.sequence));
    }
    if (row.host == request_.host) {
      check_files(row, entry.hash);
    } else if (row.state == DrillState::finished) {
      ++elsewhere_[row.host];
    }
  }

  void finish() {
    for (const auto& [drill, entry] : chain_.newest()) {
      if (!seen_.contains(drill)) {
        result_.problems.push_back(
            {fmt::format("drill {}", drill),
             fmt::format("has no row, but entry {} of the chain: the row was removed",
                         entry.sequence)});
      }
    }
    for (const auto& [host, drills] : elsewhere_) {
      result_.notes.push_back(fmt::format(
          "drills whose files are on {}: {}; run 'pgrehearse history verify' there", host, drills));
    }
    check_unlisted();
    check_known_entry();
  }

 private:
  void add(const LedgerRow& row, std::string message) {
    result_.problems.push_back({name_of_drill(row), std::move(message)});
  }

  // Where the run directory is now: as recorded, or in this state directory.
  [[nodiscard]] fs::path directory_of(const LedgerRow& row) const {
    std::error_code ignored;
    if (fs::is_directory(row.directory, ignored)) return row.directory;
    return RunStore(request_.state).directory_of(row.scenario, row.id);
  }

  void check_files(const LedgerRow& row, const std::string& entry_hash) {
    if (row.state != DrillState::finished || row.manifest_hash.empty()) return;
    const auto directory = directory_of(row);
    std::error_code ignored;
    if (!fs::is_directory(directory, ignored)) {
      add(row, fmt::format("has lost its run directory {}", row.directory));
      return;
    }
    ++result_.directories;
    for (const auto& change : changes_of(directory, row.manifest_hash)) {
      add(row, fmt::format("{} ({})", change, directory.string()));
    }
    const auto record = sha256_of_file(directory / record_name);
    if (record && *record != row.record_hash) {
      add(row, fmt::format("{} does not match the ledger", record_name));
    }
    const auto entry = sha256_of_file(directory / entry_name);
    if (entry && *entry != entry_hash) add(row, fmt::format("{} was changed", entry_name));
    if (!request_.signature) return;
    if (const auto problem = request_.signature(directory)) add(row, *problem);
  }

  // A drill that was removed from the end of the chain leaves its run directory.
  void check_unlisted() {
    std::size_t older = 0;
    for (const auto& [scenario, id] : RunStore(request_.state).all_runs()) {
      if (seen_.contains(id)) continue;
      if (!oldest_.empty() && id > oldest_) {
        result_.problems.push_back(
            {fmt::format("run directory {}/{}", scenario, id),
             "is not in the ledger: its row was removed, or the drill was run without it"});
      } else {
        ++older;
      }
    }
    if (older > 0) {
      result_.notes.push_back(
          fmt::format("run directories that are older than the ledger: {}; 'pgrehearse history "
                      "import' adds them",
                      older));
    }
  }

  void check_known_entry() {
    if (!request_.known_entry) return;
    const auto& [sequence, hash] = *request_.known_entry;
    if (chain_.watched_hash() == hash) return;
    result_.problems.push_back(
        {fmt::format("entry {}", sequence),
         chain_.watched_hash().empty()
             ? std::string("is not in the ledger: entries at its end were removed")
             : "has another hash than expected: the chain was rewritten"});
  }

  const VerificationRequest& request_;
  const ChainVerifier& chain_;
  LedgerVerification& result_;
  std::set<std::string> seen_;
  std::string oldest_;
  std::map<std::string, std::size_t> elsewhere_;
};

}  // namespace

LedgerVerification verify_ledger(Ledger& ledger, const VerificationRequest& request,
                                 const std::stop_token& stop) {
  ChainVerifier chain;
  if (request.known_entry) chain.watch(request.known_entry->first);
  LedgerVerification result;
  // One transaction: a drill that ends meanwhile must not look like a changed row.
  ledger.read([&] {
    ledger.for_each_entry([&](const LedgerEntry& entry) {
      throw_if_stopped(stop);
      chain.add(entry);
    });
    result.problems = chain.problems();
    result.entries = chain.entries();
    result.head = fmt::format("{}:{}", chain.head_sequence(), chain.head_hash());
    Verifier verifier(request, chain, result);
    ledger.for_each_row([&](const LedgerRow& row, std::uint64_t sequence) {
      throw_if_stopped(stop);
      verifier.check_row(row, sequence);
    });
    verifier.finish();
  });
  return result;
}

}  // namespace pgrehearse
