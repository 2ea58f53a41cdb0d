#include "tests/stores/many_repositories.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "harness/common/text.hpp"
#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "tests/stores/certificates.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view passphrase = "correct-horse-81d2-battery";
constexpr int repositories = 6;

// A line from the middle of a key file.
std::string line_of_key(const Account& account, const fs::path& file) {
  const auto text = read_file_of(account, file);
  const auto lines = lines_of(text);
  return std::string(lines.at(1));
}

}  // namespace

fs::path newer_pgbackrest() { return fs::path(PGREHEARSE_VERSIONS) / "pgbackrest-2.55.1"; }

ManyRepositories::ManyRepositories(const fs::path& scratch, CommandRunner& runner)
    : scratch_(scratch), runner_(runner) {
  laboratory_ = Laboratory::create(
      {.id = "primary", .state = scratch_, .pgbackrest = newer_pgbackrest(), .stanza = "main"},
      runner_, {});
  start_servers();
  write_primary_configuration();
  fill();
  add_forms();
}

const RepositoryForm& ManyRepositories::form(const std::string& name) const {
  return *std::ranges::find(forms_, name, &RepositoryForm::name);
}

fs::path ManyRepositories::directory(const std::string& name) const { return scratch_ / name; }

void ManyRepositories::start_servers() {
  const auto certificates = scratch_ / "certificates";
  make_private_directory(scratch_ / "hosts", laboratory_->account());
  make_private_directory(certificates, laboratory_->account());
  make_certificates(*laboratory_, runner_, certificates);
  s3_ = std::make_unique<S3Store>(*laboratory_, runner_, scratch_ / "s3", certificates);
  azure_ = std::make_unique<AzureStore>(*laboratory_, runner_, scratch_ / "azure", certificates);
  ssh_ = std::make_unique<SshServer>(*laboratory_, runner_, scratch_ / "ssh");
  tls_ = std::make_unique<TlsRepositoryHost>(*laboratory_, scratch_ / "tls", runner_);
  for (const auto* name : {"sftp", "encrypted", "bundled"}) {
    make_private_directory(directory(name), laboratory_->account());
  }
}

std::string ManyRepositories::encrypted_options(const std::string& prefix) const {
  return fmt::format("{0}-path={1}\n{0}-cipher-type=aes-256-cbc\n{0}-cipher-pass={2}\n", prefix,
                     directory("encrypted").native(), passphrase);
}

void ManyRepositories::write_primary_configuration() {
  const auto& paths = laboratory_->paths();
  auto text = laboratory_pgbackrest_conf(laboratory_->options(), paths, false);
  const std::string global = "[global]\n";
  text.insert(global.size(), "repo2-path=/two\n" + s3_->options_of("repo2") +
                                 "repo3-path=/three\n" + azure_->options_of("repo3") +
                                 fmt::format("repo4-path={}\n", directory("sftp").native()) +
                                 ssh_->sftp_options_of("repo4") + encrypted_options("repo5") +
                                 fmt::format("repo6-path={}\nrepo6-bundle=y\nrepo6-block=y\n",
                                             directory("bundled").native()));
  write_file_of(laboratory_->account(), paths.configuration, text, 0600);
}

void ManyRepositories::fill() {
  laboratory_->start({});
  // The newer release cannot create a container.
  const auto azure =
      write_configuration("create", "repo1-path=/three\n" + azure_->options_of("repo1"));
  run_for(*laboratory_, runner_, "pgbackrest",
          {"--config=" + azure.native(), "--stanza=main", "--repo=1", "repo-create"});
  laboratory_->create_stanza({});
  auto sql = laboratory_->connect("postgres", {});
  sql.query("alter system set autovacuum = off");
  laboratory_->reload({});
  sql.query(
      "create table public.orders as select id, md5(id::text) as text "
      "from generate_series(1, 50000) id");
  for (int key = 1; key <= repositories; ++key) {
    laboratory_->run_pgbackrest({fmt::format("--repo={}", key), "--type=full", "backup"}, {});
  }
  sql.query("update public.orders set text = 'changed' where id % 1000 = 0");
  laboratory_->run_pgbackrest({"--repo=6", "--type=incr", "backup"}, {});
  newest_transaction_ = sql.query(
                               "insert into public.orders values (0, 'after the backups') "
                               "returning pg_current_xact_id()")
                            .text(0, 0);
  laboratory_->switch_wal_and_wait({});
  // It is in repository 1; pgBackRest stores a segment in all of them before the command succeeds.
  laboratory_->run_pgbackrest({"check"}, {});
}

fs::path ManyRepositories::write_configuration(const std::string& name,
                                               const std::string& options) {
  const auto file = scratch_ / "hosts" / (name + ".conf");
  const auto own = (scratch_ / "client").native();
  write_file_of(laboratory_->account(), file,
                fmt::format("[global]\n{}lock-path={}/lock\nlog-path={}/log\nspool-path={}/spool\n"
                            "log-level-file=off\n\n[main]\npg1-path={}\n",
                            options, own, own, own, laboratory_->paths().data.native()),
                0600);
  return file;
}

void ManyRepositories::add(RepositoryForm form, const std::string& options) {
  form.configuration = write_configuration(form.name, options);
  forms_.push_back(std::move(form));
}

void ManyRepositories::add_forms() {
  const auto& account = laboratory_->account();
  const auto posix = laboratory_->paths().repository.native();
  const auto newer = newer_pgbackrest().native();
  const auto s3 = "repo1-path=/two\n" + s3_->options_of("repo1");
  add({.name = "posix"}, "repo1-path=" + posix + "\n");
  add({.name = "s3", .secret = s3_->secret()}, s3);
  auto unverified = s3.substr(0, s3.find("repo1-storage-ca-file"));
  add({.name = "s3-unverified", .secret = s3_->secret()},
      unverified + "repo1-storage-verify-tls=n\n");
  add({.name = "azure", .secret = azure_->secret()},
      "repo1-path=/three\n" + azure_->options_of("repo1"));
  const auto host = write_configuration("repository-host", "repo1-path=" + posix + "\n");
  add({.name = "ssh", .secret = line_of_key(account, ssh_->key())}, ssh_->host_options(host));
  forms_.push_back({.name = "tls",
                    .configuration = tls_->configuration(),
                    .secret = line_of_key(account, tls_->client_key())});
  add({.name = "sftp", .pgbackrest = newer, .secret = line_of_key(account, ssh_->key())},
      "repo1-path=" + directory("sftp").native() + "\n" + ssh_->sftp_options_of("repo1"));
  add({.name = "encrypted", .secret = std::string(passphrase)}, encrypted_options("repo1"));
  add({.name = "bundled", .pgbackrest = newer},
      "repo1-path=" + directory("bundled").native() + "\n");
  const auto two = encrypted_options("repo1") + "repo2-path=/two\n" + s3_->options_of("repo2");
  add({.name = "first-of-two", .key = 1, .secret = std::string(passphrase)}, two);
  add({.name = "second-of-two", .key = 2, .secret = s3_->secret()}, two);
}

}  // namespace pgrehearse
