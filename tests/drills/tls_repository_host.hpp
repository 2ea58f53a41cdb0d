// `pgbackrest server` for a laboratory's repository: a repository host with TLS.
#pragma once

#include <filesystem>
#include <thread>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command_runner.hpp"

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
  void run(std::vector<std::string> words);
  void make_certificates();
  void write_configurations() const;

  const Laboratory& laboratory_;
  std::filesystem::path directory_;
  CommandRunner& runner_;
  int port_ = 0;
  std::jthread server_;  // a stop request ends the server
};

}  // namespace pgrehearse
