#include "tests/stores/remote_stores.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "tests/stores/certificates.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr auto sshd = "/usr/sbin/sshd";

fs::path module(const char* name) { return fs::path(PGREHEARSE_STORES) / "node_modules" / name; }

}  // namespace

std::string missing_for_stores() {
  for (const auto* name : {"s3rver", "azurite"}) {
    if (!fs::exists(module(name))) return std::string(name) + " is not installed";
  }
  if (!fs::exists(sshd)) return "openssh-server is not installed";
  return {};
}

S3Store::S3Store(const Laboratory& laboratory, CommandRunner& runner, fs::path directory,
                 const fs::path& certificates)
    : directory_(std::move(directory)), certificates_(certificates), port_(free_port()) {
  const auto& account = laboratory.account();
  for (const auto& path :
       {directory_, directory_ / "data", directory_ / "s3", directory_ / "certificates"}) {
    make_private_directory(path, account);
  }
  for (const auto* name : {"server.key", "server.crt"}) {
    write_file_of(account, directory_ / "certificates" / name,
                  read_file_of(account, certificates / name), 0600);
  }
  const nlohmann::json settings{{"address", "127.0.0.1"},
                                {"port", port_},
                                {"data", data().native()},
                                {"key", "lab-key"},
                                {"secret", secret_}};
  write_file_of(account, directory_ / "s3" / "s3.json", settings.dump(), 0600);
  // The account need not be able to read the source tree.
  const auto copy = [&](const fs::path& script) {
    auto file = directory_ / script.filename();
    std::ifstream stream(script);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    write_file_of(account, file, text, 0600);
    return file.native();
  };
  server_.emplace(
      runner,
      laboratory.command("node", {copy(PGREHEARSE_FAULTY_S3_SCRIPT), copy(PGREHEARSE_S3_SCRIPT),
                                  module("s3rver").native(), directory_.native()}),
      port_);
}

std::string S3Store::options_of(const std::string& prefix, int port) const {
  return fmt::format(
      "{0}-type=s3\n{0}-s3-bucket=lab\n{0}-s3-endpoint=localhost\n{0}-s3-region=us-east-1\n"
      "{0}-s3-key=lab-key\n{0}-s3-key-secret={1}\n{0}-s3-uri-style=path\n"
      "{0}-storage-host=localhost\n{0}-storage-port={2}\n{0}-storage-ca-file={3}/ca.crt\n",
      prefix, secret_, port == 0 ? port_ : port, certificates_.native());
}

AzureStore::AzureStore(const Laboratory& laboratory, CommandRunner& runner, fs::path directory,
                       const fs::path& certificates)
    : directory_(std::move(directory)),
      certificates_(certificates),
      secret_("cGxhbnRlZC1henVyZS1rZXk3YTFiMmMzZDRlNWY2MDcxODI5M2E0YjVjNmQ3ZThmOQ=="),
      port_(free_port()) {
  make_private_directory(directory_, laboratory.account());
  auto command = laboratory.command(
      "node",
      {module("azurite/dist/src/blob/main.js").native(), "--location", directory_.native(),
       "--blobHost", "127.0.0.1", "--blobPort", std::to_string(port_), "--cert",
       (certificates / "server.crt").native(), "--key", (certificates / "server.key").native(),
       "--skipApiVersionCheck", "--silent", "--disableTelemetry"});
  command.environment["AZURITE_ACCOUNTS"] = "labaccount:" + secret_;
  server_.emplace(runner, std::move(command), port_);
}

std::string AzureStore::options_of(const std::string& prefix) const {
  return fmt::format(
      "{0}-type=azure\n{0}-azure-account=labaccount\n{0}-azure-container=lab\n"
      "{0}-azure-key={1}\n{0}-azure-uri-style=path\n{0}-storage-host=localhost\n"
      "{0}-storage-port={2}\n{0}-storage-ca-file={3}/ca.crt\n",
      prefix, secret_, port_, certificates_.native());
}

SshServer::SshServer(const Laboratory& laboratory, CommandRunner& runner, fs::path directory)
    : directory_(std::move(directory)), account_(laboratory.account().name), port_(free_port()) {
  const auto& account = laboratory.account();
  make_private_directory(directory_, account);
  const auto file = [&](const char* name) { return (directory_ / name).native(); };
  run_for(laboratory, runner, "ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-f", file("host")});
  // libssh2, which pgBackRest's sftp uses, does not read every key in OpenSSH's own format.
  run_for(laboratory, runner, "ssh-keygen",
          {"-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", file("id")});
  write_file_of(account, file("authorized_keys"), read_file_of(account, file("id.pub")), 0600);
  write_file_of(account, file("known_hosts"),
                fmt::format("[localhost]:{} {}", port_, read_file_of(account, file("host.pub"))),
                0600);
  write_file_of(account, file("sshd_config"),
                fmt::format("ListenAddress 127.0.0.1\nPort {0}\nHostKey {1}/host\n"
                            "PidFile {1}/sshd.pid\nAuthorizedKeysFile {1}/authorized_keys\n"
                            "UsePAM no\nStrictModes no\nPasswordAuthentication no\n"
                            "Subsystem sftp internal-sftp\n",
                            port_, directory_.native()),
                0600);
  write_file_of(account, client(),
                fmt::format("#!/bin/sh\nexec ssh -F none -i {0}/id -o IdentitiesOnly=yes "
                            "-o StrictHostKeyChecking=yes -o HostKeyAlias='[localhost]:{1}' "
                            "-o UserKnownHostsFile={0}/known_hosts \"$@\"\n",
                            directory_.native(), port_),
                0700);
  server_.emplace(runner, laboratory.command(sshd, {"-D", "-e", "-f", file("sshd_config")}), port_);
}

std::string SshServer::host_options(const fs::path& host_configuration, int port) const {
  return fmt::format(
      "repo1-host=localhost\nrepo1-host-port={}\nrepo1-host-user={}\nrepo1-host-config={}\n"
      "cmd-ssh={}\n",
      port == 0 ? port_ : port, account_, host_configuration.native(), client().native());
}

std::string SshServer::sftp_options_of(const std::string& prefix) const {
  return fmt::format(
      "{0}-type=sftp\n{0}-sftp-host=localhost\n{0}-sftp-host-port={1}\n{0}-sftp-host-user={2}\n"
      "{0}-sftp-host-key-hash-type=sha256\n{0}-sftp-private-key-file={3}/id\n"
      "{0}-sftp-known-host={3}/known_hosts\n",
      prefix, port_, account_, directory_.native());
}

}  // namespace pgrehearse
