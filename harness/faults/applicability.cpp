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

bool needs_binaries_of_this_host(const Question& question) {
  const auto& action = question.request.action;
  return action.starts_with("wrap_") || action == "replace_segment" || action == "shrink_disk" ||
         question.sets("sandbox.run_as") || question.sets("sandbox.binaries") ||
         question.sets("repository.binary");
}

bool needs_another_cluster(const Question& question) {
  return question.request.action == "use_other_cluster" ||
         question.request.action == "upgrade_stanza";
}

// Limit for a file system in memory that is filled on purpose.
constexpr Bytes largest_disk{std::uint64_t{1} << 30U};

struct Obstacle {
  bool (*applies)(const Question& question) = nullptr;
  std::string_view reason;
};

constexpr auto obstacles = std::to_array<Obstacle>({
    {[](const Question& question) {
       return find_damage(question.request.action)->stage < DamageStage::repository;
     },
     "needs to damage a primary; your primary is never touched"},
    {needs_another_cluster, "needs the primary of a second cluster"},
    {[](const Question& question) {
       return question.fault.laboratory == "encrypted" && !question.repository.encrypted;
     },
     "the repository is not encrypted"},
    {[](const Question& question) {
       return question.fault.laboratory == "timelines" && !question.drill.switches_timeline;
     },
     "recovery does not cross a timeline switch"},
    {[](const Question& question) {
       return question.request.action == "add_timeline" && !question.drill.follows_timelines;
     },
     "the scenario does not recover to the latest timeline"},
    {[](const Question& question) {
       const auto& action = question.request.action;
       return question.repository.encrypted &&
              (action == "add_timeline" || action == "replace_segment");
     },
     "files cannot be added to an encrypted repository without pgBackRest"},
    {[](const Question& question) {
       const auto& codes = question.fault.expect.codes;
       return std::find(codes.begin(), codes.end(), FindingCode::query_mismatch) != codes.end();
     },
     "can only be detected by a query for the newest rows, which prove cannot write for your data"},
    {[](const Question& question) {
       return question.request.action == "remove_backup" &&
              question.request.settings.get_or<std::string>("which", "full") == "full" &&
              question.repository.chain.size() == 1;
     },
     "the restored backup is a full backup; no other backup depends on it"},
    {[](const Question& question) {
       return !question.drill.local && needs_binaries_of_this_host(question);
     },
     "the drill runs in a container, with the binaries of its image"},
    {[](const Question& question) {
       return question.request.action == "shrink_disk" && !question.drill.root;
     },
     "mounting a small file system requires root"},
    {[](const Question& question) {
       return question.request.settings.get_or("enough", false) &&
              question.drill.minimum_disk > largest_disk;
     },
     "needs a file system in memory for the whole cluster, which is larger than 1 GB"},
    {[](const Question& question) { return question.sets("primary."); },
     "drills of a copy do not contact the primary"},
    {[](const Question& question) {
       constexpr Seconds slip = std::chrono::hours(5);
       return question.fault.name == "time-zone-wrong-earlier" &&
              question.drill.oldest_backup > slip;
     },
     "the oldest backup is older than five hours: that time can be recovered"},
});

}  // namespace

std::string why_not_applicable(const Fault& fault, const RepositoryTraits& repository,
                               const DrillTraits& drill) {
  for (const auto& obstacle : obstacles) {
    for (const auto& request : fault.damage) {
      if (obstacle.applies({fault, request, repository, drill}))
        return std::string(obstacle.reason);
    }
  }
  return {};
}

}  // namespace pgrehearse
