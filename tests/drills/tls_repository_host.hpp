// `pgbackrest server` before a laboratory's repository: a repository host that is reached by TLS.
#pragma once

#include <filesystem>
#include <thread>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command_runner.hpp"

namespace pgrehearse {

class TlsRepositoryHost {
 public:
  // Listens on a free port of localhost; everything of it lies below `directory`, which the
  // laboratory's account can enter. Throws when it does not start.
  TlsRepositoryHost(const Laboratory& laboratory, std::filesystem::path directory,
                    CommandRunner& runner);
  TlsRepositoryHost(const TlsRepositoryHost&) = delete;
  TlsRepositoryHost& operator=(const TlsRepositoryHost&) = delete;
  ~TlsRepositoryHost() = default;

  // pgBackRest's configuration for a host that reaches the repository through it.
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
  std::jthread server_;  // its stop request ends the server
};

}  // namespace pgrehearse
