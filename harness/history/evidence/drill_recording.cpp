#include "harness/history/evidence/drill_recording.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "harness/common/poll_until.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/history/evidence/run_manifest.hpp"
#include "harness/process/command.hpp"

namespace pgrehearse {

namespace {

std::string other_drill(Ledger& ledger, const std::string& stanza) {
  for (const auto& row : ledger.running()) {
    if (row.stanza == stanza) return fmt::format("{} on {}", row.id, row.host);
  }
  return "another drill";
}

}  // namespace

std::string operator_of_this_process() {
  const auto account = current_account().name;
  const char* sudo = std::getenv("SUDO_USER");
  if (sudo == nullptr || *sudo == '\0' || account == sudo) return account;
  return fmt::format("{} (sudo by {})", account, sudo);
}

std::string checksum_of_this_program() {
  static const auto checksum = sha256_of_file("/proc/self/exe").value_or("");
  return checksum;
}

DrillRecording::DrillRecording(Ledger& ledger, LedgerRow row, const Options& options,
                               const std::stop_token& stop)
    : ledger_(ledger), row_(std::move(row)) {
  constexpr auto pause = std::chrono::seconds(1);
  ledger_.record_killed(row_.started);
  stanza_lock_ = ledger_.try_lock_stanza(row_.stanza);
  if (!stanza_lock_ && options.wait) options.on_wait(other_drill(ledger_, row_.stanza));
  while (!stanza_lock_ && options.wait) {
    if (!wait_for(pause, stop)) throw_if_stopped(stop);
    stanza_lock_ = ledger_.try_lock_stanza(row_.stanza);
  }
  drill_lock_ = ledger_.try_lock_drill(row_.id);
  row_.started = std::chrono::system_clock::now();
  row_.process = static_cast<std::uint64_t>(getpid());
  started_ = ledger_.start(row_);
}

void DrillRecording::finish(const Report& report, const std::filesystem::path& run_directory) {
  set_results(row_, report);
  set_files(row_, run_directory);
  write_entry(ledger_.finish(row_), run_directory);
}

void DrillRecording::abort(const std::string& reason, Instant now) {
  row_.state = DrillState::finished;
  row_.finished = now;
  row_.likely_cause = LikelyCause::environment;
  row_.diagnosis = reason;
  ledger_.finish(row_);
}

}  // namespace pgrehearse
