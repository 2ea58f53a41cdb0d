// Do the replication slots exist that consumers rely on? A backup never contains slots, so the
// primary is queried.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

namespace {

// A row is a slot. wal_status exists since 13, invalidation_reason since 17; older servers lose no
// slot, they fill the disk. Temporary slots belong to a session, not to a consumer.
std::string slots_sql(int server_version) {
  return fmt::format(
      "select slot_name, slot_type, active, {}, {} from pg_catalog.pg_replication_slots "
      "where not temporary order by slot_name",
      server_version >= 130000 ? "wal_status" : "null",
      server_version >= 170000 ? "invalidation_reason" : "null");
}

constexpr std::array keys{KeyDescription{
    .name = "expected",
    .kind = KeyKind::text_list,
    .summary = "slots that must exist on the primary",
    .example = "[standby1, warehouse]",
}};

Finding missing(const std::string& name, std::span<const std::string> present) {
  const auto near = nearest(name, present);
  return {.code = FindingCode::slot_missing,
          .object = name,
          .message = fmt::format("replication slot {} does not exist on the primary, which has {}",
                                 name, present.empty() ? "none" : join(present, ", ")),
          .hint = near ? fmt::format("did you mean '{}'?", *near)
                       : "recreate it, and reinitialize its consumer if it missed changes"};
}

Finding lost(const Rows& rows, std::size_t row) {
  const auto& name = rows.text(row, 0);
  const auto& reason = rows.text(row, 4);
  return {
      .code = FindingCode::slot_lost,
      .object = name,
      .message = fmt::format("{} replication slot {} on the primary is lost: {}", rows.text(row, 1),
                             name, reason.empty() ? "WAL it needs was removed" : reason),
      .hint = "reinitialize its consumer; check max_slot_wal_keep_size",
      .details = {{"wal_status", rows.text(row, 3)}, {"invalidation_reason", reason}}};
}

class ReplicationSlots : public RepositoryCheck {
 public:
  explicit ReplicationSlots(const Settings& settings)
      : expected_(settings.get_or<std::vector<std::string>>("expected", {})) {}

  CheckOutcome run(const RepositoryContext& context) override {
    if (context.primary == nullptr) {
      return {.verdict = Verdict::unknown,
              .findings = {{.code = FindingCode::slot_no_primary,
                            .message =
                                "slots are not part of a backup, and the scenario has no primary",
                            .hint = "add `primary: { dsn: ... }` to the scenario"}},
              .summary = "no primary to query"};
    }
    auto sql = context.primary->connect({}, context.stop);
    const auto rows = sql.query(slots_sql(sql.server_version()));
    CheckOutcome outcome{.verdict = Verdict::pass};
    std::vector<std::string> present;
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
      present.push_back(rows.text(row, 0));
      if (rows.text(row, 3) == "lost" || !rows.text(row, 4).empty()) {
        outcome.findings.push_back(lost(rows, row));
      }
    }
    for (const auto& name : expected_) {
      if (std::find(present.begin(), present.end(), name) == present.end()) {
        outcome.findings.push_back(missing(name, present));
      }
    }
    if (!outcome.findings.empty()) outcome.verdict = Verdict::fail;
    outcome.summary = fmt::format("{} on the primary, {} expected (a backup contains no slots)",
                                  counted(present.size(), "slot", "slots"), expected_.size());
    return outcome;
  }

 private:
  std::vector<std::string> expected_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::slot_missing,
    FindingCode::slot_lost,
    FindingCode::slot_no_primary,
});

}  // namespace

CheckDescription replication_slots_check() {
  return {.name = "replication_slots",
          .summary = "the expected slots exist on the primary and none is lost",
          .finds = finding_codes,
          .state = InstanceState::any,
          .keys = keys,
          .validate = validate<ReplicationSlots>,
          .create = create<ReplicationSlots>};
}

}  // namespace pgrehearse
