#include "tests/drills/shared_laboratory.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/common/text.hpp"
#include "harness/laboratory/shop.hpp"
#include "harness/process/boost_command_runner.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr double size_factor = 0.05;
constexpr int marks = 6;

// pg_waldump's line for the commit of `xid`: "... tx: 743, lsn: 0/0153A1F8, prev ...".
std::string find_commit(Laboratory& laboratory, CommandRunner& runner, const std::string& start,
                        const std::string& xid) {
  const auto result = runner.run(
      laboratory.command(laboratory.program("pg_waldump"),
                         {"--path=" + (laboratory.paths().data / "pg_wal").native(),
                          "--start=" + start, "--rmgr=Transaction", "--xid=" + xid, "--limit=1"}),
      {});
  const auto at = result.output.find("lsn: ");
  if (at == std::string::npos) throw std::runtime_error("no commit of " + xid);
  return result.output.substr(at + 5, result.output.find(',', at) - at - 5);
}

std::map<int, Mark> write_marks(Laboratory& laboratory, CommandRunner& runner) {
  auto connection = laboratory.connect("shop", {});
  std::map<int, Mark> written;
  const auto start = connection.query("select pg_current_wal_lsn()").text(0, 0);
  for (int step = 1; step <= marks; ++step) {
    const auto xid = connection
                         .query(fmt::format("insert into pitr.marks values ({}) "
                                            "returning pg_current_xact_id()",
                                            step))
                         .text(0, 0);
    const auto time =
        connection.query(fmt::format("select pg_xact_commit_timestamp('{}'::xid)", xid)).text(0, 0);
    written[step] = {.xid = xid, .time = time};
    if (step == 1) connection.query("select pg_create_restore_point('after_mark_1')");
  }
  for (auto& [step, mark] : written) {
    mark.commit_lsn = find_commit(laboratory, runner, start, mark.xid);
  }
  return written;
}

}  // namespace

fs::path make_scratch_directory(const std::string& purpose) {
  std::string name = "/var/tmp/pgrehearse-" + purpose + "-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  fs::permissions(name, fs::perms(0755));
  return name;
}

void build_shared_laboratory(const fs::path& record) {
  BoostCommandRunner runner;
  const auto directory = make_scratch_directory("drills");
  auto laboratory = Laboratory::create({.id = "laboratory", .state = directory}, runner, {});
  laboratory->start({});
  // Its last transaction remains that of the last mark, however long the tests take.
  laboratory->connect("postgres", {}).query("alter system set autovacuum = off");
  laboratory->reload({});
  laboratory->create_stanza({});
  load_shop(*laboratory, size_factor, {});
  laboratory->connect("shop", {}).query("create schema pitr");
  laboratory->connect("shop", {}).query("create table pitr.marks (step integer primary key)");
  laboratory->back_up(BackupType::full, {});
  work_in_shop(*laboratory, size_factor, 1, {});
  laboratory->back_up(BackupType::incremental, {});
  work_in_shop(*laboratory, size_factor, 2, {});
  const auto written = write_marks(*laboratory, runner);
  laboratory->switch_wal_and_wait({});
  laboratory->keep();

  nlohmann::ordered_json json{{"directory", directory.native()}};
  for (const auto& [step, mark] : written) {
    json["marks"].push_back(
        {{"step", step}, {"xid", mark.xid}, {"commit_lsn", mark.commit_lsn}, {"time", mark.time}});
  }
  std::ofstream(record) << json.dump(2) << '\n';
}

void remove_shared_laboratory(const fs::path& record) {
  const auto root = read_shared_laboratory(record).root;
  BoostCommandRunner runner;
  const auto removal = Laboratory::open(root, runner)->destroy();
  if (!removal.complete()) throw std::runtime_error("left: " + join(removal.remaining, ", "));
  fs::remove_all(root.parent_path());
  fs::remove(record);
}

SharedLaboratory read_shared_laboratory(const fs::path& record) {
  std::ifstream in(record);
  if (!in) {
    throw std::runtime_error(
        "there is no shared laboratory: run the tests through ctest, which builds it, or "
        "'drill_laboratory up " +
        record.native() + "'");
  }
  const auto json = nlohmann::json::parse(in);
  SharedLaboratory shared{.root = fs::path(json.at("directory").get<std::string>()) / "laboratory"};
  for (const auto& mark : json.at("marks")) {
    shared.marks[mark.at("step")] = {
        .xid = mark.at("xid"), .commit_lsn = mark.at("commit_lsn"), .time = mark.at("time")};
  }
  return shared;
}

}  // namespace pgrehearse
