// The servers of remote repositories: an S3 store, an Azure store and an SSH server, each with keys
// of its own below one directory. Everything runs as the laboratory's account.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "harness/laboratory/laboratory.hpp"
#include "harness/process/command_runner.hpp"
#include "tests/stores/server_process.hpp"

namespace pgrehearse {

// What these servers need and this machine lacks; empty: nothing.
std::string missing_for_stores();

// pgBackRest's options of a repository, with its key for the prefix: options_of("repo2", "/two").
class S3Store {
 public:
  // s3rver with TLS; the bucket is `lab`. `certificates`: see make_certificates().
  S3Store(const Laboratory& laboratory, CommandRunner& runner, std::filesystem::path directory,
          const std::filesystem::path& certificates);
  // `port`: another one than the store's, for a proxy before it.
  [[nodiscard]] std::string options_of(const std::string& prefix, int port = 0) const;
  [[nodiscard]] const std::string& secret() const { return secret_; }
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::filesystem::path data() const { return directory_ / "data"; }

 private:
  std::filesystem::path directory_;
  std::filesystem::path certificates_;
  std::string secret_ = "secret-of-the-s3-store-3f9c";
  int port_ = 0;
  std::optional<ServerProcess> server_;
};

class AzureStore {
 public:
  // azurite with TLS; `pgbackrest repo-create` makes the container.
  AzureStore(const Laboratory& laboratory, CommandRunner& runner, std::filesystem::path directory,
             const std::filesystem::path& certificates);
  [[nodiscard]] std::string options_of(const std::string& prefix) const;
  [[nodiscard]] const std::string& secret() const { return secret_; }

 private:
  std::filesystem::path directory_;
  std::filesystem::path certificates_;
  std::string secret_;
  int port_ = 0;
  std::optional<ServerProcess> server_;
};

class SshServer {
 public:
  // Only the key `id` may log in.
  SshServer(const Laboratory& laboratory, CommandRunner& runner, std::filesystem::path directory);
  // A repository host, whose own configuration is `host_configuration`; for cmd-ssh, see client().
  [[nodiscard]] std::string host_options(const std::filesystem::path& host_configuration,
                                         int port = 0) const;
  [[nodiscard]] std::string sftp_options_of(const std::string& prefix) const;
  // The program for pgBackRest's `cmd-ssh`: ssh with this server's keys.
  [[nodiscard]] std::filesystem::path client() const { return directory_ / "ssh-client"; }
  [[nodiscard]] std::filesystem::path key() const { return directory_ / "id"; }
  [[nodiscard]] int port() const { return port_; }

 private:
  std::filesystem::path directory_;
  std::string account_;
  int port_ = 0;
  std::optional<ServerProcess> server_;
};

}  // namespace pgrehearse
