// Is this the expected cluster? A stale stanza or a wrong repository restores cleanly, too.
#include <fmt/format.h>

#include <array>
#include <charconv>

#include "checks/checks.hpp"
#include "checks/shared/primary_errors.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

namespace {

int major_of(int server_version) { return server_version / 10000; }

struct Identity {
  std::uint64_t system_identifier = 0;
  int major = 0;
};

Identity identity_of_copy(const InstanceContext& context) {
  auto sql = context.connect({});
  const auto rows = sql.query("select system_identifier from pg_catalog.pg_control_system()");
  const auto& text = rows.text(0, 0);
  std::int64_t identifier = 0;  // SQL has no unsigned type: the high bit shows as a minus sign
  std::from_chars(text.data(), text.data() + text.size(), identifier);
  return {.system_identifier = static_cast<std::uint64_t>(identifier),
          .major = major_of(sql.server_version())};
}

void compare(const Identity& copy, const Identity& other, std::string_view whose,
             std::vector<Finding>& findings) {
  if (copy.system_identifier != other.system_identifier) {
    findings.push_back(
        {.code = FindingCode::identity_system,
         .object = std::to_string(copy.system_identifier),
         .message = fmt::format("the restored cluster has system identifier {}, {} has {}",
                                copy.system_identifier, whose, other.system_identifier),
         .hint = "another cluster was restored: check the stanza, the repository and the DSN",
         .details = {{"restored", std::to_string(copy.system_identifier)},
                     {"expected", std::to_string(other.system_identifier)}}});
  }
  if (copy.major != other.major) {
    findings.push_back({.code = FindingCode::identity_version,
                        .object = std::to_string(copy.major),
                        .message = fmt::format("the restored cluster is PostgreSQL {}, {} is {}",
                                               copy.major, whose, other.major),
                        .hint = "the backup was taken before an upgrade: take a new one",
                        .details = {{"restored", std::to_string(copy.major)},
                                    {"expected", std::to_string(other.major)}}});
  }
}

class IdentityCheck : public InstanceCheck {
 public:
  CheckOutcome run(const LandedContext& context) override {
    const auto copy = identity_of_copy(context);
    CheckOutcome outcome{.verdict = Verdict::pass};
    compare(copy,
            {.system_identifier = context.backup.system_identifier,
             .major = context.backup.postgres_major},
            "the backup", outcome.findings);
    outcome.summary = fmt::format("system identifier {}, PostgreSQL {}: same as the backup's",
                                  copy.system_identifier, copy.major);
    if (context.primary != nullptr) compare_with_primary(context, copy, outcome);
    if (!outcome.findings.empty() && outcome.verdict == Verdict::pass) {
      outcome.verdict = Verdict::fail;
    }
    return outcome;
  }

 private:
  static void compare_with_primary(const InstanceContext& context, const Identity& copy,
                                   CheckOutcome& outcome) {
    try {
      const auto primary = context.primary->identity(context.stop);
      compare(copy,
              {.system_identifier = primary.system_identifier,
               .major = major_of(primary.server_version)},
              "the primary", outcome.findings);
      outcome.summary += " and the primary's";
    } catch (const SqlError& error) {
      // A mismatch with the backup's record is a failure even if the primary is unreachable.
      outcome.verdict = outcome.findings.empty() ? Verdict::unknown : Verdict::fail;
      outcome.findings.push_back(
          primary_trouble(*context.primary, "the primary could not be queried", error));
    }
  }
};

constexpr auto finding_codes = with_primary_errors(std::to_array<FindingCode>({
    FindingCode::identity_system,
    FindingCode::identity_version,
}));

}  // namespace

CheckDescription identity_check() {
  return {.name = "identity",
          .summary = "system identifier and major version match the primary and the backup",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .create = create<IdentityCheck>};
}

}  // namespace pgrehearse
