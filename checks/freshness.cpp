// How much would be lost? Compares the newest recovered commit with objectives.rpo.
#include <fmt/format.h>

#include <array>

#include "checks/checks.hpp"

namespace pgrehearse {

namespace {

constexpr std::array keys{KeyDescription{
    .name = "max_age",
    .kind = KeyKind::duration,
    .summary = "maximum age of the newest commit (default: objectives.rpo)",
    .example = "15min",
}};

std::string loss_text(const LandedContext& context, Seconds measured) {
  if (measured == Seconds(0)) return "nothing committed before is missing";
  if (context.scenario.target.type != TargetType::latest) {
    return fmt::format("newest commit is {} before the target", to_text(measured));
  }
  return fmt::format("newest commit is {} old", to_text(measured));
}

// Shown with a verdict that does not depend on it.
void add_clock(const DataLoss& loss, CheckOutcome& outcome) {
  if (loss.clock.empty()) return;
  outcome.findings.push_back(
      {.code = FindingCode::clock_wrong, .severity = Severity::note, .message = loss.clock});
}

class Freshness : public InstanceCheck {
 public:
  explicit Freshness(const Settings& settings)
      : max_age_(settings.get<std::chrono::milliseconds>("max_age")) {}

  CheckOutcome run(const LandedContext& context) override {
    const auto allowed = max_age_ ? max_age_ : context.scenario.objectives.rpo;
    if (!allowed) {
      return undecided("no limit for the age of the newest commit",
                       "set objectives.rpo, or max_age of this check");
    }
    const auto& loss = context.loss;
    const Seconds limit(*allowed);
    const auto measured = loss.measured(limit);
    if (!loss.applicable) return {.verdict = Verdict::skipped, .summary = loss.explanation};
    if (!measured) return unknown_loss(loss);
    const auto summary = fmt::format("{} (limit {}): {}", loss_text(context, *measured),
                                     to_text(limit), loss.explanation);
    CheckOutcome outcome{.verdict = loss.verdict(limit), .summary = summary};
    if (outcome.verdict == Verdict::fail) {
      outcome.findings.push_back(
          {.code = FindingCode::freshness_old,
           .object = context.landing.time ? to_text(*context.landing.time) : "",
           .message = summary,
           .hint = "check on the primary that WAL is archived (pg_stat_archiver, archive_timeout)",
           .details = {{"measured_seconds", fmt::format("{:.3f}", measured->count())},
                       {"allowed_seconds", fmt::format("{:.3f}", limit.count())}}});
    }
    add_clock(loss, outcome);
    return outcome;
  }

 private:
  static CheckOutcome undecided(const std::string& why, std::string hint) {
    return {.verdict = Verdict::unknown,
            .findings = {{.code = FindingCode::freshness_unknown,
                          .message = why,
                          .hint = std::move(hint)}},
            .summary = why};
  }

  static CheckOutcome unknown_loss(const DataLoss& loss) {
    auto outcome = undecided(loss.explanation, "");
    if (loss.clock.empty()) return outcome;
    auto& finding = outcome.findings.front();
    finding.code = FindingCode::clock_wrong;
    finding.hint =
        "compare the clocks of the primary and of this host, and run a time service on both";
    return outcome;
  }

  std::optional<std::chrono::milliseconds> max_age_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::freshness_old,
    FindingCode::freshness_unknown,
    FindingCode::clock_wrong,
});

}  // namespace

CheckDescription freshness_check() {
  return {.name = "freshness",
          .summary = "the newest recovered commit is not older than objectives.rpo",
          .finds = finding_codes,
          .state = InstanceState::paused,
          .keys = keys,
          .validate = validate<Freshness>,
          .create = create<Freshness>};
}

}  // namespace pgrehearse
