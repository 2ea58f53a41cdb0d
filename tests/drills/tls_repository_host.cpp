#include "tests/drills/tls_repository_host.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>

#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "tests/fakes/network_trap.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

bool answers(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return connected;
}

}  // namespace

TlsRepositoryHost::TlsRepositoryHost(const Laboratory& laboratory, fs::path directory,
                                     CommandRunner& runner)
    : laboratory_(laboratory), directory_(std::move(directory)), runner_(runner) {
  make_private_directory(directory_, laboratory_.account());
  port_ = NetworkTrap().port();
  make_certificates();
  write_configurations();
  auto command = laboratory_.command(
      "pgbackrest", {"server", "--config=" + (directory_ / "server.conf").native()});
  command.timeout = std::chrono::hours(1);
  server_ =
      std::jthread([this, command](const std::stop_token& stop) { runner_.run(command, stop); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (!answers(port_)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("pgbackrest server does not answer");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void TlsRepositoryHost::run(std::vector<std::string> words) {
  const auto program = words.front();
  words.erase(words.begin());
  auto command = laboratory_.command(program, std::move(words));
  const auto result = runner_.run(command, {});
  if (!result.succeeded()) throw std::runtime_error(program + ": " + result.error_output);
}

void TlsRepositoryHost::make_certificates() {
  const auto file = [&](const std::string& name) { return (directory_ / name).native(); };
  const std::vector<std::string> new_key{"-newkey", "ec", "-pkeyopt",
                                         "ec_paramgen_curve:prime256v1", "-nodes"};
  const auto request = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"openssl", "req"});
    words.insert(words.end(), new_key.begin(), new_key.end());
    run(std::move(words));
  };
  request({"-x509", "-days", "2", "-subj", "/CN=ca", "-keyout", file("ca.key"), "-out",
           file("ca.crt")});
  write_file_of(laboratory_.account(), file("names"), "subjectAltName=DNS:localhost\n", 0600);
  for (const auto& [name, subject] :
       {std::pair{"server", "localhost"}, std::pair{"client", "pgclient"}}) {
    const std::string stem = name;
    request({"-subj", std::string("/CN=") + subject, "-keyout", file(stem + ".key"), "-out",
             file(stem + ".request")});
    run({"openssl", "x509", "-req", "-days", "2", "-in", file(stem + ".request"), "-CA",
         file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial", "-extfile", file("names"),
         "-out", file(stem + ".crt")});
  }
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
