#include "harness/faults/applicability.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/faults/damage/damage.hpp"

namespace pgrehearse {

namespace {

struct Question {
  const Fault& fault;
  const DamageRequest& request;
  const RepositoryTraits& repository;
  const DrillTraits& drill;

  [[nodiscard]] bool sets(std::string_view key) const {
    const auto values = request.settings.get_or<std::vector<std::string>>("values", {});
    return std::any_of(values.begin(), values.end(),
                       [&](const auto& value) { return value.starts_with(key); });
  }
};

bool needs_this_hosts_programs(const Question& question) {
  const auto& action = question.request.action;
  return action.starts_with("wrap_") || action == "replace_segment" || action == "shrink_disk" ||
         question.sets("sandbox.run_as") || question.sets("sandbox.binaries") ||
         question.sets("repository.binary");
}

bool needs_another_cluster(const Question& question) {
  return question.request.action == "use_other_cluster" ||
         question.request.action == "upgrade_stanza";
}

// A file system in memory that fills up: not more than this host can spare.
constexpr Bytes largest_disk{std::uint64_t{1} << 30U};

struct Obstacle {
  bool (*stands)(const Question& question) = nullptr;
  std::string_view reason;
};

constexpr auto obstacles = std::to_array<Obstacle>({
    {[](const Question& question) {
       return find_damage(question.request.action)->stage < DamageStage::repository;
     },
     "it damages a primary, and yours is left alone"},
    {needs_another_cluster, "it needs a primary of another cluster beside yours"},
    {[](const Question& question) {
       return question.fault.laboratory == "encrypted" && !question.repository.encrypted;
     },
     "the repository is not encrypted"},
    {[](const Question& question) {
       return question.fault.laboratory == "timelines" && !question.drill.switches_timeline;
     },
     "recovery passes no switch of timelines"},
    {[](const Question& question) {
       return question.request.action == "add_timeline" && !question.drill.follows_timelines;
     },
     "the scenario does not follow the newest timeline"},
    {[](const Question& question) {
       const auto& action = question.request.action;
       return question.repository.encrypted &&
              (action == "add_timeline" || action == "replace_segment");
     },
     "in an encrypted repository nothing can be put that pgBackRest did not write"},
    {[](const Question& question) {
       const auto& codes = question.fault.expect.codes;
       return std::find(codes.begin(), codes.end(), "PGR-QUERY-MISMATCH") != codes.end();
     },
     "only a query that knows the newest rows can tell, and prove knows none of yours"},
    {[](const Question& question) {
       return question.request.action == "remove_backup" &&
              question.request.settings.get_or<std::string>("which", "full") == "full" &&
              question.repository.chain.size() == 1;
     },
     "no set builds on the restored one's full set: it is one"},
    {[](const Question& question) {
       return !question.drill.local && needs_this_hosts_programs(question);
     },
     "the drill runs in a container, with the programs of its image"},
    {[](const Question& question) {
       return question.request.action == "shrink_disk" && !question.drill.root;
     },
     "only root can mount a small file system"},
    {[](const Question& question) {
       return question.request.settings.get_or("enough", false) &&
              question.drill.least_disk > largest_disk;
     },
     "a full disk is rehearsed in memory, and the cluster needs more than 1 GB of it"},
    {[](const Question& question) { return question.sets("primary."); },
     "the drills of a copy ask no primary"},
    {[](const Question& question) {
       constexpr Seconds slip = std::chrono::hours(5);
       return question.fault.name == "zone-slip-earlier" && question.drill.oldest_set > slip;
     },
     "the set is older than the slip: recovery would reach that time"},
});

}  // namespace

std::string why_not_applicable(const Fault& fault, const RepositoryTraits& repository,
                               const DrillTraits& drill) {
  for (const auto& obstacle : obstacles) {
    for (const auto& request : fault.damage) {
      if (obstacle.stands({fault, request, repository, drill})) return std::string(obstacle.reason);
    }
  }
  return {};
}

}  // namespace pgrehearse
