// What a check looks at, put together by a test: a context whose parts can be set one by one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "harness/drill/check.hpp"

namespace pgrehearse {

// A repository that no check under test may touch: every call throws.
class UntouchedRepository : public BackupRepository {
 public:
  std::string version(std::stop_token) override { throw_touched(); }
  BackupList list(std::stop_token) override { throw_touched(); }
  std::optional<std::uint64_t> wal_segment_size(const Backup&, std::stop_token) override {
    throw_touched();
  }
  ArchiveListing list_archive(const Backup&, std::uint64_t, std::stop_token) override {
    throw_touched();
  }
  void restore(const Backup&, const RecoveryTarget&, Sandbox&,
               const std::function<void(const RestoreProgress&)>&, std::stop_token) override {
    throw_touched();
  }
  std::vector<std::string> archive_get(const Backup&, const Sandbox&, WalFetch) override {
    throw_touched();
  }
  RepositoryAccess access() override { throw_touched(); }
  Verification verify(const Backup&, std::stop_token) override { throw_touched(); }

 private:
  [[noreturn]] static void throw_touched() {
    throw Error(ErrorKind::internal, "this check must not touch the repository");
  }
};

struct CheckBench {
  Scenario scenario;
  Backup backup;
  ArchiveListing archive;
  Sandbox* sandbox = nullptr;
  const ControlData* control = nullptr;
  std::optional<Landing> landing;
  std::unique_ptr<BackupRepository> repository = std::make_unique<UntouchedRepository>();
  Primary* primary = nullptr;
  std::function<Connection(const std::string& database)> connect;
  std::vector<std::string> databases;
  Instant drill_started;
  std::vector<std::string> progress;  // "3/14 tables", as the check reported it

  CheckContext context(std::stop_token stop = {}) {
    return {.scenario = scenario,
            .backup = backup,
            .archive = archive,
            .sandbox = sandbox,
            .control = control,
            .landing = landing ? &*landing : nullptr,
            .repository = *repository,
            .primary = primary,
            .connect = connect,
            .databases = databases,
            .drill_started = drill_started,
            .on_progress =
                [this](std::uint64_t done, std::uint64_t total, std::string_view unit) {
                  progress.push_back(std::to_string(done) + "/" + std::to_string(total) + " " +
                                     std::string(unit));
                },
            .stop = std::move(stop)};
  }
};

// Settings as the scenario's parser would give them.
inline Settings settings_of(
    std::initializer_list<std::pair<std::string_view, SettingValue>> values) {
  Settings settings;
  for (const auto& [key, value] : values) settings.set(std::string(key), value);
  return settings;
}

// "PGR-INDEX-INVALID shop.public.orders_pkey", one a finding.
inline std::vector<std::string> codes_and_objects(const CheckOutcome& outcome) {
  std::vector<std::string> texts;
  for (const auto& finding : outcome.findings) texts.push_back(finding.code + " " + finding.object);
  return texts;
}

}  // namespace pgrehearse
