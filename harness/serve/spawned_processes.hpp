// Drills as processes of this program. In <state>/serve/drills there is a file per drill; the
// process of the drill holds a lock on it from its start to its end.
#pragma once

#include <set>

#include "harness/serve/drill_processes.hpp"

namespace pgrehearse {

enum class IoClass { normal, low, idle };

struct DrillPriority {
  int nice = 0;  // added to that of the scheduler
  IoClass io_class = IoClass::normal;
};

class SpawnedProcesses final : public DrillProcesses {
 public:
  // `program`: of the drills, usually /proc/self/exe.
  SpawnedProcesses(const std::filesystem::path& state, std::filesystem::path program,
                   DrillPriority priority);

  pid_t start(StartedProcess entry, const std::vector<std::string>& arguments) override;
  [[nodiscard]] std::vector<StartedProcess> list() override;
  void stop(const std::string& run_id) override;
  std::string remove(const std::string& run_id) override;

 private:
  [[nodiscard]] std::filesystem::path file_of(const std::string& run_id) const;
  [[nodiscard]] std::filesystem::path log_of(const std::string& run_id) const;
  void save(const StartedProcess& entry) const;
  void reap();

  std::filesystem::path directory_;
  std::filesystem::path program_;
  DrillPriority priority_;
  std::set<pid_t> children_;
};

}  // namespace pgrehearse
