// Waits until a standby streams from the primary and has replayed what the primary had written.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/postgres/lsn.hpp"
#include "harness/report/report.hpp"

namespace pgrehearse {

struct StandbyState {
  bool streaming = false;  // the WAL receiver's state
  std::optional<Lsn> replayed;
};

// How the standby is watched.
struct StandbyView {
  std::function<bool()> ended;                         // its server
  std::function<std::optional<StandbyState>()> state;  // nullopt: it accepts no connection yet
  std::function<std::vector<std::string>()> log_lines;
  // Why the primary refused the newest connection.
  std::function<std::optional<std::string>()> refusal;
  // A failover or a restart of the primary refuses connections for a shorter time.
  std::chrono::milliseconds longest_refusal{std::chrono::seconds(15)};
};

struct StandbyProgress {
  std::optional<Finding> failure;         // absent: it caught up
  std::chrono::milliseconds streaming{};  // from the start of the server
  std::chrono::milliseconds caught_up{};
  Lsn replayed;
};

StandbyProgress wait_for_standby(const StandbyView& view, Lsn target,
                                 std::chrono::milliseconds timeout, const std::stop_token& stop);

}  // namespace pgrehearse
