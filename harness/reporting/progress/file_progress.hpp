// Progress in a file of the run directory, for other processes that show it. The file is removed
// when the drill ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "harness/drill/progress.hpp"
#include "harness/reporting/progress/live_line.hpp"

namespace pgrehearse {

// As it is stored: "progress.json" in the run directory.
struct StoredProgress {
  std::string id;
  std::string scenario;
  LivePhase phase;
  std::optional<Seconds> remaining;
  Instant at;  // when it was written
};

// nullopt: the drill has no such file, or it cannot be read.
std::optional<StoredProgress> read_progress(const std::filesystem::path& run_directory);

class FileProgress : public ProgressListener {
 public:
  // Passes everything on to `next`. A file that cannot be written is left out.
  FileProgress(std::unique_ptr<ProgressListener> next, std::filesystem::path runs);
  ~FileProgress() override;
  FileProgress(const FileProgress&) = delete;
  FileProgress& operator=(const FileProgress&) = delete;

  void drill_started(const Report& report) override;
  void phase_started(std::string_view name, const PhaseExpectation& expected) override;
  void phase_progress(std::optional<double> fraction, std::string_view detail) override;
  void phase_finished(const PhaseRecord& phase) override;
  void check_finished(const CheckRecord& check) override;
  void drill_finished(const Report& report) override;

 private:
  void write();
  void remove();

  std::unique_ptr<ProgressListener> next_;
  std::filesystem::path runs_;
  std::mutex mutex_;
  std::filesystem::path file_;
  StoredProgress progress_;
  std::chrono::steady_clock::time_point phase_started_;
  std::chrono::steady_clock::time_point written_;
};

}  // namespace pgrehearse
