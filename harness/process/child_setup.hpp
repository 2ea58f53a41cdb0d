// Sets up a child process between fork and exec: environment, account, signals, process group,
// confinement.
#pragma once

#include <boost/process/v2/default_launcher.hpp>
#include <boost/system/error_code.hpp>

#include "harness/process/command.hpp"

namespace pgrehearse {

// A Boost.Process v2 initializer. Makes only system calls, since the parent may have other threads.
class ChildSetup {
 public:
  // `environment` ("NAME=value") and `confinement` (a Landlock ruleset descriptor, -1 for none)
  // must outlive the launch.
  ChildSetup(const Command& command, const std::vector<std::string>& environment, int confinement);

  // Boost's own process_environment does not link header-only in 1.81.
  template <typename Launcher>
  boost::system::error_code on_setup(Launcher& launcher,
                                     const boost::process::v2::filesystem::path& /*program*/,
                                     const char* const*& /*arguments*/) const noexcept {
    launcher.env = environment_.data();
    return {};
  }

  template <typename Launcher>
  boost::system::error_code on_exec_setup(Launcher& /*launcher*/,
                                          const boost::process::v2::filesystem::path& /*program*/,
                                          const char* const*& /*arguments*/) const noexcept {
    return {apply(), boost::system::system_category()};
  }

 private:
  // 0, or the errno of the first step that failed.
  [[nodiscard]] int apply() const noexcept;
  [[nodiscard]] int isolate() const noexcept;

  const Command& command_;
  std::vector<const char*> environment_;  // ends with a null pointer
  int confinement_;
  pid_t parent_;
};

}  // namespace pgrehearse
