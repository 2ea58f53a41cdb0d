// How much would be lost? Compares the newest recovered commit with objectives.rpo.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/checks.hpp"
#include "harness/primary/primary.hpp"

namespace pgrehearse {

namespace {

constexpr std::array keys{KeyDescription{
    .name = "max_age",
    .kind = KeyKind::duration,
    .summary = "maximum age of the newest commit (default: objectives.rpo)",
    .example = "15min",
}};

struct Loss {
  bool applicable = true;           // false: the target is not a time
  std::optional<Seconds> measured;  // nullopt: could not be determined
  std::string explanation;
};

Seconds between(Instant earlier, Instant later) {
  return std::max(Seconds(0), Seconds(later - earlier));
}

Loss unknown(std::string why) { return {.explanation = std::move(why)}; }

Loss against_target_time(const RecoveryTarget& target, Instant newest) {
  if (!target.time) return unknown("the recovery target has no time");
  return {.measured = between(newest, *target.time),
          .explanation = fmt::format("target {}, newest recovered commit {}",
                                     to_iso8601(*target.time), to_iso8601(newest))};
}

Loss against_now(const LandedContext& context, Instant newest) {
  const auto age = between(newest, context.drill_started);
  Loss loss{.measured = age,
            .explanation = fmt::format("drill started {}, newest recovered commit {}",
                                       to_iso8601(context.drill_started), to_iso8601(newest))};
  if (context.primary == nullptr) return loss;
  try {
    const auto had = context.primary->newest_commit(context.stop);
    if (!had) return loss;
    // An idle primary had nothing newer to lose. What it committed since the drill started cannot
    // be distinguished, so the age stays the upper bound.
    loss.measured = std::min(age, between(newest, *had));
    loss.explanation += fmt::format(", newest commit on the primary {}", to_iso8601(*had));
  } catch (const SqlError&) {
    // The age alone is evidence enough: it can only be too strict.
    loss.explanation += "; the primary could not be queried";
  }
  return loss;
}

Loss measure(const LandedContext& context) {
  const auto& target = context.scenario.target;
  if (!is_time_target(target)) {
    return {.applicable = false,
            .explanation = "not applicable: the recovery target is not a time"};
  }
  if (!context.landing.time) {
    return unknown("the time of the newest recovered commit is not known");
  }
  const auto newest = *context.landing.time;
  return target.type == TargetType::latest ? against_now(context, newest)
                                           : against_target_time(target, newest);
}

std::string loss_text(const LandedContext& context, Seconds measured) {
  if (context.scenario.target.type != TargetType::latest) {
    return fmt::format("newest commit is {} before the target", to_text(measured));
  }
  return fmt::format("newest commit is {} old", to_text(measured));
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
    const auto loss = measure(context);
    if (!loss.applicable) return {.verdict = Verdict::skipped, .summary = loss.explanation};
    if (!loss.measured) return undecided(loss.explanation, "");
    const auto summary = fmt::format("{} (limit {}): {}", loss_text(context, *loss.measured),
                                     to_text(Seconds(*allowed)), loss.explanation);
    if (*loss.measured <= Seconds(*allowed)) return {.verdict = Verdict::pass, .summary = summary};
    return {
        .verdict = Verdict::fail,
        .findings =
            {{.code = FindingCode::freshness_old,
              .object = to_iso8601(*context.landing.time),
              .message = summary,
              .hint =
                  "check on the primary that WAL is archived (pg_stat_archiver, archive_timeout)",
              .details = {{"measured_seconds", fmt::format("{:.3f}", loss.measured->count())},
                          {"allowed_seconds", fmt::format("{:.3f}", Seconds(*allowed).count())}}}},
        .summary = summary};
  }

 private:
  static CheckOutcome undecided(const std::string& why, std::string hint) {
    return {.verdict = Verdict::unknown,
            .findings = {{.code = FindingCode::freshness_unknown,
                          .message = why,
                          .hint = std::move(hint)}},
            .summary = why};
  }

  std::optional<std::chrono::milliseconds> max_age_;
};

constexpr auto finding_codes = std::to_array<FindingCode>({
    FindingCode::freshness_old,
    FindingCode::freshness_unknown,
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
