// `pgbackrest server` for a laboratory's repository: a repository host with TLS.
#pragma once

#include <filesystem>
#include <optional>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command_runner.hpp"
#include "tests/stores/server_process.hpp"

namespace pgrehearse {

class TlsRepositoryHost {
 public:
  // Listens on a free port of localhost. All its files are below `directory`, which the
  // laboratory's account must be able to enter. Throws if it does not start.
  TlsRepositoryHost(const Laboratory& laboratory, std::filesystem::path directory,
                    CommandRunner& runner);
  TlsRepositoryHost(const TlsRepositoryHost&) = delete;
  TlsRepositoryHost& operator=(const TlsRepositoryHost&) = delete;
  ~TlsRepositoryHost() = default;

  // The pgBackRest configuration for a host that uses this repository host.
  [[nodiscard]] std::filesystem::path configuration() const { return directory_ / "client.conf"; }
  [[nodiscard]] std::filesystem::path client_key() const { return directory_ / "client.key"; }
  [[nodiscard]] int port() const { return port_; }

 private:
  void write_configurations() const;

  const Laboratory& laboratory_;
  std::filesystem::path directory_;
  int port_ = 0;
  std::optional<ServerProcess> server_;
};

}  // namespace pgrehearse
