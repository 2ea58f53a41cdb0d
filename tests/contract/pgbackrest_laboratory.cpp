#include "tests/contract/pgbackrest_laboratory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "harness/common/text.hpp"
#include "harness/postgres/binaries.hpp"
#include "harness/repository/pgbackrest/pgbackrest_repository.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

void give_to(const fs::path& path, const Account& account) {
  if (chown(path.c_str(), account.uid, account.gid) != 0) {
    throw std::runtime_error("cannot chown " + path.native());
  }
}

std::string listing_of(const fs::path& directory) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const auto time = entry.last_write_time().time_since_epoch().count();
    lines.push_back(fmt::format("{} {} {}\n", entry.path().native(),
                                entry.is_regular_file() ? entry.file_size() : 0, time));
  }
  std::ranges::sort(lines);
  std::string text;
  for (const auto& line : lines) text += line;
  return text;
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

PgBackRestLaboratory::PgBackRestLaboratory(const fs::path& scratch, const std::string& id,
                                           const std::string& passphrase)
    : scratch_(scratch / id), provisioner_(runner_, scratch / id / "state") {
  fs::create_directories(scratch_);
  laboratory_ = Laboratory::create({.id = "primary",
                                    .state = scratch_,
                                    .compress_type = passphrase.empty() ? "lz4" : "zst",
                                    .cipher_passphrase = passphrase},
                                   runner_, {});
  laboratory_->start({});
  laboratory_->create_stanza({});
  const auto tablespace = laboratory_->paths().tablespaces / "fast";
  fs::create_directories(tablespace);
  give_to(tablespace, laboratory_->account());
  const auto query = [&](const std::string& sql) {
    laboratory_->connect("postgres", {}).query(sql);
  };
  query("create tablespace fast location '" + tablespace.native() + "'");
  query("create table public.orders as select id, md5(id::text) from generate_series(1, 20000) id");
  query("create table public.lines tablespace fast as select * from public.orders");
  // A link out of the data directory, like that of a cluster with a separate log directory.
  const auto linked = laboratory_->paths().root / "linked";
  fs::create_directories(linked);
  std::ofstream(linked / "file") << "of production\n";
  give_to(linked, laboratory_->account());
  give_to(linked / "file", laboratory_->account());
  fs::create_directory_symlink(linked, laboratory_->paths().data / "linked");
  laboratory_->back_up(BackupType::full, {});
  query("create table public.later as select * from public.orders");
  laboratory_->back_up(BackupType::differential, {});
  laboratory_->back_up(BackupType::incremental, {});
  promote();
  for (int round = 0; round < 3; ++round) {
    query("insert into public.lines select * from public.orders limit 10");
    laboratory_->switch_wal_and_wait({});
  }
}

void PgBackRestLaboratory::promote() {
  laboratory_->stop({});
  const auto signal = laboratory_->paths().data / "standby.signal";
  std::ofstream(signal).close();
  give_to(signal, laboratory_->account());
  laboratory_->start({});
  laboratory_->connect("postgres", {}).query("select pg_promote()");
}

std::unique_ptr<BackupRepository> PgBackRestLaboratory::repository(fs::path configuration,
                                                                   std::string stanza) {
  const auto own = scratch_ / "own";
  fs::create_directories(own);
  give_to(own, laboratory_->account());
  if (configuration.empty()) configuration = laboratory_->paths().configuration;
  return std::make_unique<PgBackRestRepository>(
      RepositorySpec{.stanza = std::move(stanza), .configuration = std::move(configuration)},
      runner_, laboratory_->account(), own);
}

std::unique_ptr<Sandbox> PgBackRestLaboratory::sandbox(const std::string& run_id) {
  return provisioner_.create({.run_id = run_id,
                              .scenario = "contract",
                              .type = "local",
                              .postgres_major = installed_majors().back()},
                             {});
}

fs::path PgBackRestLaboratory::write_hostile_configuration() {
  auto file = scratch_ / "hostile.conf";
  const auto outside = (scratch_ / "outside").native();
  std::ofstream(file) << read(laboratory_->paths().host_configuration)
                      << fmt::format(R"(
pg1-host-config=/etc/elsewhere.conf
pg1-host-cmd=/usr/bin/elsewhere
pg1-host-port=2222
pg2-host=standby.invalid
pg2-path=/srv/standby
pg3-host=third.invalid
pg3-path=/srv/third

[global:restore]
delta=y
link-all=y
link-map=pg_wal={0}/wal
tablespace-map=fast={0}/fast
recovery-option=primary_conninfo=host=primary.invalid
recovery-option=recovery_target_action=promote
db-exclude=postgres
archive-mode=preserve
)",
                                     outside);
  fs::permissions(file, fs::perms(0644));
  return file;
}

PgBackRestLaboratory::Copy PgBackRestLaboratory::copy_repository(const std::string& name) {
  Copy copy{.repository = scratch_ / (name + "-repository"),
            .configuration = scratch_ / (name + ".conf")};
  const auto& original = laboratory_->paths().repository;
  const auto result = runner_.run(
      {.program = "cp", .arguments = {"-a", original.native(), copy.repository.native()}}, {});
  if (!result.succeeded()) throw std::runtime_error(result.error_output);
  auto text = read(laboratory_->paths().configuration);
  text.replace(text.find(original.native()), original.native().size(), copy.repository.native());
  std::ofstream(copy.configuration) << text;
  fs::permissions(copy.configuration, fs::perms(0644));
  return copy;
}

fs::path PgBackRestLaboratory::flip_byte_below(const fs::path& directory) {
  fs::path largest;
  std::uintmax_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file() || entry.file_size() <= size) continue;
    largest = entry.path();
    size = entry.file_size();
  }
  std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(size / 2);
  file.seekg(middle);
  const auto byte = static_cast<char>(file.get() ^ 0x40);
  file.seekp(middle);
  file.put(byte);
  return largest;
}

fs::path PgBackRestLaboratory::write_production_configuration(const std::string& more) {
  fs::remove_all(production());
  for (const auto* directory : {"spool/archive/demo/in", "spool/archive/demo/out", "lock", "log"}) {
    fs::create_directories(production() / directory);
  }
  for (const auto* file : {"spool/archive/demo/in/000000010000000000000001",
                           "spool/archive/demo/out/000000010000000000000042.ok",
                           "lock/demo-archive.lock", "log/demo-archive-push-async.log"}) {
    std::ofstream(production() / file) << "of production\n";
  }
  for (const auto& entry : fs::recursive_directory_iterator(production())) {
    give_to(entry.path(), laboratory_->account());
  }
  give_to(production(), laboratory_->account());
  auto file = scratch_ / "production.conf";
  std::ofstream stream(file);
  const auto own = read(laboratory_->paths().configuration);
  for (const auto line : lines_of(own)) {
    const auto name = line.substr(0, line.find('='));
    if (more.find("\n" + std::string(name) + "=") == std::string::npos) stream << line << '\n';
  }
  stream << fmt::format(fmt::runtime(more), production().native());
  fs::permissions(file, fs::perms(0644));
  return file;
}

std::string PgBackRestLaboratory::listing() const {
  return listing_of(laboratory_->paths().repository);
}

std::string PgBackRestLaboratory::listing_of_production() const { return listing_of(production()); }

}  // namespace pgrehearse
