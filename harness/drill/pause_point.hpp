// A WAL position at which recovery pauses on its way to the target, and who asks for it.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "harness/common/error.hpp"
#include "harness/common/units.hpp"
#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

struct InstanceContext;    // harness/drill/check_context.hpp
struct RepositoryContext;  // harness/drill/check_context.hpp

struct PausePoint {
  Lsn lsn;
  bool exclusive = true;         // the record that begins at `lsn` is not applied
  std::optional<Instant> taken;  // when the primary reached it; nullopt: during this drill
  auto operator<=>(const PausePoint&) const = default;
};

// Asks for pause points and uses the instance there. An exception is passed to failed(); only
// Error(interrupted) ends the drill.
class PausePointVisitor {
 public:
  virtual ~PausePointVisitor() = default;
  // Called once after the restore. Waits until the positions are known.
  virtual std::vector<PausePoint> pause_points(const RepositoryContext& context) = 0;
  // Recovery is paused at `point`; the instance is read-only.
  virtual void at_pause_point(const InstanceContext& context, const PausePoint& point) = 0;
  // This recovery does not pause at `point`.
  virtual void pause_point_unreachable(const PausePoint& point, const std::string& reason) = 0;
  // One of the functions above threw. None of them is called again.
  virtual void failed(const Error& error) = 0;
};

}  // namespace pgrehearse
