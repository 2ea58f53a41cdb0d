#include "tests/stores/tls_repository_host.hpp"

#include <fmt/format.h>

#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "tests/stores/certificates.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

TlsRepositoryHost::TlsRepositoryHost(const Laboratory& laboratory, fs::path directory,
                                     CommandRunner& runner)
    : laboratory_(laboratory), directory_(std::move(directory)), port_(free_port()) {
  make_private_directory(directory_, laboratory_.account());
  make_certificates(laboratory_, runner, directory_);
  write_configurations();
  server_.emplace(
      runner,
      laboratory_.command("pgbackrest",
                          {"server", "--config=" + (directory_ / "server.conf").native()}),
      port_);
}

void TlsRepositoryHost::write_configurations() const {
  const auto& paths = laboratory_.paths();
  const auto& stanza = laboratory_.options().stanza;
  const auto own = directory_.native();
  const auto common = fmt::format(
      "lock-path={0}/lock\nlog-path={0}/log\nspool-path={0}/spool\nlog-level-file=off\n", own);
  write_file_of(
      laboratory_.account(), directory_ / "server.conf",
      fmt::format("[global]\nrepo1-path={}\ntls-server-address=127.0.0.1\n"
                  "tls-server-port={}\ntls-server-ca-file={}/ca.crt\n"
                  "tls-server-cert-file={}/server.crt\ntls-server-key-file={}/server.key\n"
                  "tls-server-auth=pgclient={}\n{}\n[{}]\npg1-path={}\n",
                  paths.repository.native(), port_, own, own, own, stanza, common, stanza,
                  paths.data.native()),
      0600);
  write_file_of(
      laboratory_.account(), configuration(),
      fmt::format("[global]\nrepo1-host=localhost\nrepo1-host-type=tls\n"
                  "repo1-host-port={}\nrepo1-host-ca-file={}/ca.crt\n"
                  "repo1-host-cert-file={}/client.crt\nrepo1-host-key-file={}/client.key\n"
                  "repo1-host-config={}/server.conf\n{}\n[{}]\npg1-path={}\n",
                  port_, own, own, own, own, common, stanza, paths.data.native()),
      0600);
}

}  // namespace pgrehearse
