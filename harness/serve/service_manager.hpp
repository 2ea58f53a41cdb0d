// The state of `serve` for systemd: sd_notify(3). Without a service manager nothing happens.
#pragma once

#include <chrono>
#include <string>

namespace pgrehearse {

class ServiceManager {
 public:
  ServiceManager();

  // Once the first step is done, and again after each reload.
  void ready();
  void reloading();
  void stopping();
  // Resets the watchdog, if there is one; `status` is shown by `systemctl status`.
  void heartbeat(const std::string& status);

 private:
  std::chrono::microseconds watchdog_{0};  // 0: none
  std::string status_;
};

}  // namespace pgrehearse
