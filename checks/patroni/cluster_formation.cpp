#include "checks/patroni/cluster_formation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/shared/missing_resources.hpp"
#include "harness/common/poll_until.hpp"
#include "harness/common/text.hpp"
#include "harness/common/units.hpp"

namespace pgrehearse {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto poll_interval = std::chrono::milliseconds(250);
constexpr std::string_view logs_hint =
    "see logs/postgres/patroni-*.log and logs/postgres/etcd.log in the run directory";

std::string last_line(const std::string& text) {
  constexpr std::size_t longest = 300;
  const auto lines = lines_of(text);
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    if (!trim(*line).empty()) return std::string(trim(*line).substr(0, longest));
  }
  return "its log is empty";
}

std::string first_errors(const PatroniLog& log) {
  constexpr std::size_t most = 3;
  const auto count = std::min(most, log.errors.size());
  return join(std::span(log.errors).first(count), "; ");
}

class Formation {
 public:
  Formation(const NewCluster& cluster, const ClusterView& view) : cluster_(cluster), view_(view) {}

  [[nodiscard]] bool has_leader() const {
    const auto keys = view_.keys();
    if (!keys || keys->leader != first().name) return false;
    const auto leaders = std::ranges::count_if(
        keys->members, [](const auto& entry) { return entry.second.leads(); });
    const auto member = keys->members.find(first().name);
    return leaders == 1 && member != keys->members.end() && member->second.leads() &&
           member->second.runs() && view_.in_recovery(first()) == false;
  }

  [[nodiscard]] bool has_second_member() const {
    const auto keys = view_.keys();
    if (!keys) return false;
    const auto member = keys->members.find(second().name);
    if (member == keys->members.end()) return false;
    return member->second.role == "replica" && member->second.runs() && view_.streaming() &&
           view_.in_recovery(second()) == true;
  }

  // What cannot get better by waiting.
  [[nodiscard]] std::optional<Finding> failure() const {
    const auto log = log_of(first());
    if (log.failed_bootstrap) return not_bootstrapped(log);
    if (view_.ended("etcd")) return not_running("etcd", view_.read_log(cluster_.etcd_log));
    if (view_.ended(first().name)) {
      if (log.began_bootstrap) return not_bootstrapped(log);
      return not_running("Patroni", view_.read_log(first().log));
    }
    if (view_.ended(second().name)) return not_running("Patroni", view_.read_log(second().log));
    constexpr int enough = 2;
    return not_joined(enough);
  }

  // The second member tried at least so often.
  [[nodiscard]] std::optional<Finding> not_joined(int attempts) const {
    const auto log = log_of(second());
    if (log.failed_clones < attempts) return {};
    return excuse_missing_resources(
        {.code = FindingCode::cluster_replica,
         .object = second().name,
         .message = fmt::format("pg_basebackup from the new leader failed: {}", first_errors(log)),
         .hint = std::string(logs_hint),
         .details = {{"errors", join(log.errors, "\n")}}},
        log.errors);
  }

  [[nodiscard]] Finding timed_out(bool has_leader, std::chrono::milliseconds timeout) const {
    const auto& late = has_leader ? second() : first();
    const auto log = log_of(late);
    return {.code = FindingCode::cluster_timeout,
            .object = late.name,
            .message = fmt::format(
                "{} within {}{}{}",
                has_leader ? "the second member does not stream" : "no leader was elected",
                to_text(Seconds(timeout)), log.errors.empty() ? "" : ": ", first_errors(log)),
            .hint = "set `timeout` of this check to a longer time, or " + std::string(logs_hint),
            .details = {{"errors", join(log.errors, "\n")}}};
  }

 private:
  [[nodiscard]] const ClusterMember& first() const { return cluster_.first(); }
  [[nodiscard]] const ClusterMember& second() const { return cluster_.second(); }
  [[nodiscard]] PatroniLog log_of(const ClusterMember& member) const {
    return parse_patroni_log(view_.read_log(member.log));
  }

  static Finding not_bootstrapped(const PatroniLog& log) {
    return excuse_missing_resources(
        {.code = FindingCode::cluster_bootstrap,
         .object = "bootstrap",
         .message = fmt::format("Patroni failed to bootstrap the cluster: {}",
                                log.errors.empty() ? "its log gives no reason" : first_errors(log)),
         .hint = std::string(logs_hint),
         .details = {{"errors", join(log.errors, "\n")}}},
        log.errors);
  }

  static Finding not_running(const std::string& program, const std::string& log) {
    return {.code = FindingCode::cluster_environment,
            .object = program,
            .message = fmt::format("{} ended in the sandbox: {}", program, last_line(log)),
            .hint = std::string(logs_hint)};
  }

  const NewCluster& cluster_;
  const ClusterView& view_;
};

}  // namespace

ClusterFormation wait_for_cluster(const NewCluster& cluster, const ClusterView& view,
                                  std::chrono::milliseconds timeout, const std::stop_token& stop) {
  const Formation formation(cluster, view);
  ClusterFormation result;
  const auto began = Clock::now();
  const auto since_start = [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  };
  bool led = false;
  const auto decided = [&] {
    result.failure = formation.failure();
    if (result.failure) return true;
    if (!led && formation.has_leader()) {
      led = true;
      result.leader = since_start();
    }
    return led && formation.has_second_member();
  };
  if (!poll_until(began + timeout, poll_interval, stop, decided)) {
    result.failure = formation.not_joined(1);
    if (!result.failure) result.failure = formation.timed_out(led, timeout);
  }
  result.complete = since_start();
  return result;
}

std::optional<Finding> cluster_defect(const NewCluster& cluster, const ClusterView& view) {
  const Formation formation(cluster, view);
  if (!formation.has_leader()) {
    return Finding{.code = FindingCode::cluster_bootstrap,
                   .object = cluster.first().name,
                   .message = "the new cluster lost its leader",
                   .hint = std::string(logs_hint)};
  }
  if (!formation.has_second_member()) {
    return Finding{.code = FindingCode::cluster_replica,
                   .object = cluster.second().name,
                   .message = "the second member stopped streaming",
                   .hint = std::string(logs_hint)};
  }
  return {};
}

}  // namespace pgrehearse
