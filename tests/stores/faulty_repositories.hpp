// A primary with a repository in S3 and one on an SSH host, each behind a proxy for drills; the
// primary itself archives without the proxies.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "harness/laboratory/laboratory.hpp"
#include "tests/stores/faulty_proxy.hpp"
#include "tests/stores/remote_stores.hpp"

namespace pgrehearse {

class FaultyRepositories {
 public:
  // `scratch` exists. Throws when something does not start.
  FaultyRepositories(const std::filesystem::path& scratch, CommandRunner& runner);

  [[nodiscard]] const Laboratory& laboratory() const { return *laboratory_; }
  [[nodiscard]] const std::string& newest_transaction() const { return newest_transaction_; }
  [[nodiscard]] FaultyProxy& s3_proxy() { return *s3_proxy_; }
  [[nodiscard]] FaultyProxy& ssh_proxy() { return *ssh_proxy_; }
  [[nodiscard]] std::filesystem::path s3_configuration() const { return own_ / "s3.conf"; }
  [[nodiscard]] std::filesystem::path ssh_configuration() const { return own_ / "ssh.conf"; }
  // From now on the store answers every request for WAL with this HTTP status; 0: normally.
  void answer_with(int status);

 private:
  void write(const std::string& name, const std::string& options);

  std::unique_ptr<Laboratory> laboratory_;
  std::filesystem::path own_;
  std::unique_ptr<S3Store> s3_;
  std::unique_ptr<SshServer> ssh_;
  std::unique_ptr<FaultyProxy> s3_proxy_;
  std::unique_ptr<FaultyProxy> ssh_proxy_;
  std::string newest_transaction_;
};

}  // namespace pgrehearse
