#include "tests/stores/faulty_repositories.hpp"

#include <fmt/format.h>

#include "harness/sandbox/directories.hpp"
#include "harness/sandbox/sandbox_files.hpp"
#include "tests/stores/certificates.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

FaultyRepositories::FaultyRepositories(const fs::path& scratch, CommandRunner& runner) {
  laboratory_ =
      Laboratory::create({.id = "primary", .state = scratch, .stanza = "main"}, runner, {});
  const auto& account = laboratory_->account();
  own_ = scratch / "own";
  for (const auto& path : {own_, own_ / "certificates"}) make_private_directory(path, account);
  make_certificates(*laboratory_, runner, own_ / "certificates");
  s3_ = std::make_unique<S3Store>(*laboratory_, runner, own_ / "s3", own_ / "certificates");
  ssh_ = std::make_unique<SshServer>(*laboratory_, runner, own_ / "ssh");
  s3_proxy_ = std::make_unique<FaultyProxy>(s3_->port());
  ssh_proxy_ = std::make_unique<FaultyProxy>(ssh_->port());

  const auto& paths = laboratory_->paths();
  auto text = laboratory_pgbackrest_conf(laboratory_->options(), paths, false);
  const std::string global = "[global]\n";
  text.insert(global.size(), "repo2-path=/two\n" + s3_->options_of("repo2"));
  write_file_of(account, paths.configuration, text, 0600);
  write("host", "repo1-path=" + paths.repository.native() + "\n");
  write("s3", "repo1-path=/two\n" + s3_->options_of("repo1", s3_proxy_->port()));
  write("ssh", ssh_->host_options(own_ / "host.conf", ssh_proxy_->port()));

  laboratory_->start({});
  laboratory_->create_stanza({});
  auto sql = laboratory_->connect("postgres", {});
  sql.query("alter system set autovacuum = off");
  laboratory_->reload({});
  sql.query(
      "create table public.orders as select id, md5(id::text) as text "
      "from generate_series(1, 20000) id");
  for (const auto* repository : {"--repo=1", "--repo=2"}) {
    laboratory_->run_pgbackrest({repository, "--type=full", "backup"}, {});
  }
  newest_transaction_ = sql.query(
                               "insert into public.orders values (0, 'after the backups') "
                               "returning pg_current_xact_id()")
                            .text(0, 0);
  laboratory_->switch_wal_and_wait({});
  laboratory_->run_pgbackrest({"check"}, {});
}

// Short timeouts, so that a stalled connection does not take a minute.
void FaultyRepositories::write(const std::string& name, const std::string& options) {
  const auto client = (own_ / "client").native();
  write_file_of(laboratory_->account(), own_ / (name + ".conf"),
                fmt::format("[global]\n{0}io-timeout=5\nprotocol-timeout=20\ndb-timeout=10\n"
                            "lock-path={1}/lock\nlog-path={1}/log\nspool-path={1}/spool\n"
                            "log-level-file=off\n\n[main]\npg1-path={2}\n",
                            options, client, laboratory_->paths().data.native()),
                0600);
}

void FaultyRepositories::answer_with(int status) {
  write_file_of(laboratory_->account(), own_ / "s3" / "answer", std::to_string(status), 0600);
}

}  // namespace pgrehearse
