#include "tests/contract/provisioner_fixture.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>

#include "harness/postgres/binaries.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/process_table.hpp"
#include "tests/fakes/command_line_of.hpp"
#include "tests/fakes/require_or_skip.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

fs::path make_scratch() {
  std::string pattern = "/tmp/pgrehearse-contract-XXXXXX";
  fs::path scratch = mkdtemp(pattern.data());
  fs::permissions(scratch, fs::perms(0755));
  return scratch;
}

}  // namespace

void ProvisionerContract::SetUp() {
  if (!require_or_skip(GetParam().impossible(), Remedy::none)) return;
  if (!require_or_skip(GetParam().missing())) return;
  scratch_ = make_scratch();
  provisioner_ = GetParam().make(runner_, scratch_ / "state");
}

void ProvisionerContract::TearDown() {
  if (!provisioner_) return;
  for (const auto& leftover : provisioner_->list()) {
    if (!leftover.alive) provisioner_->remove(leftover);
  }
  std::error_code failure;
  fs::remove_all(scratch_, failure);
  EXPECT_EQ(processes_mentioning(scratch_.string()), std::vector<std::string>{});
}

SandboxSpec ProvisionerContract::spec(const std::string& run_id) const {
  return {.run_id = run_id,
          .scenario = "contract",
          .type = GetParam().name,
          .postgres_major = installed_majors().back(),
          .options = GetParam().options()};
}

std::unique_ptr<Sandbox> ProvisionerContract::create(const std::string& run_id) {
  return provisioner_->create(spec(run_id), {});
}

Sandbox& ProvisionerContract::common() {
  auto& common = common_[GetParam().name];
  if (!common.sandbox) {
    common.scratch = make_scratch();
    common.provisioner = GetParam().make(common.runner, common.scratch / "state");
    common.sandbox = common.provisioner->create(spec("common"), {});
  }
  return *common.sandbox;
}

ProvisionerContract::Common::~Common() {
  sandbox.reset();
  std::error_code failure;
  if (!scratch.empty()) fs::remove_all(scratch, failure);
}

CommandResult ProvisionerContract::run(Sandbox& sandbox, std::vector<std::string> words) {
  Command command{.program = words.front(), .timeout = std::chrono::minutes(5)};
  command.arguments.assign(words.begin() + 1, words.end());
  return sandbox.run(command, {});
}

void ProvisionerContract::start_server(Sandbox& sandbox) {
  const auto data = sandbox.paths().data.string();
  const auto made = run(sandbox, {sandbox.program("initdb"), "-D", data, "-U", "postgres", "-A",
                                  "trust", "-k", "--no-sync"});
  ASSERT_TRUE(made.succeeded()) << made.error_output << made.output;
  sandbox.write_file(fs::path(data) / "postgresql.auto.conf",
                     "listen_addresses = ''\nfsync = off\ndynamic_shared_memory_type = mmap\n"
                     "unix_socket_directories = '" +
                         sandbox.paths().sockets.string() + "'\n");
  const auto started = run(sandbox, {sandbox.program("pg_ctl"), "-D", data, "-w", "-l",
                                     (sandbox.paths().logs / "server.log").string(), "start"});
  ASSERT_TRUE(started.succeeded()) << started.error_output << started.output
                                   << sandbox.read_file(sandbox.paths().logs / "server.log");
}

const Leftover* ProvisionerContract::find(const std::vector<Leftover>& all,
                                          const std::string& id) const {
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& leftover) { return leftover.run_id == id; });
  return found == all.end() ? nullptr : &*found;
}

pid_t ProvisionerContract::fork_owner(const std::function<void()>& action) {
  int ends[2] = {-1, -1};
  if (pipe(ends) != 0) return -1;
  const pid_t owner = fork();
  if (owner == 0) {
    close(ends[0]);
    action();
    const bool failed = testing::Test::HasFailure();
    [[maybe_unused]] const auto written = write(ends[1], failed ? "F" : "R", 1);
    while (true) pause();
  }
  close(ends[1]);
  char answer = '-';
  [[maybe_unused]] const auto length = read(ends[0], &answer, 1);
  close(ends[0]);
  EXPECT_EQ(answer, 'R') << "the other process failed";
  return owner;
}

void ProvisionerContract::kill_owner(pid_t owner) {
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
}

std::vector<std::string> processes_mentioning(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& process : all_processes()) {
    if (!process.alive() || process.pid == getpid()) continue;
    const auto line = command_line_of(process);
    const ActingAccount as_owner(owner_of(process));
    std::error_code unreadable;
    const auto directory =
        fs::read_symlink("/proc/" + std::to_string(process.pid) + "/cwd", unreadable).string();
    if (line.find(text) != std::string::npos || directory.find(text) != std::string::npos) {
      found.push_back(fmt::format("{} {} in {}", process.pid, line, directory));
    }
  }
  return found;
}

std::string guarding_segment(const fs::path& root) {
  std::ifstream record(root / "data/postmaster.pid");
  std::string line;
  for (int number = 1; number < 7; ++number) std::getline(record, line);
  std::string key;
  std::string id;
  record >> key >> id;
  return fmt::format("{} {}", key, id);
}

bool segment_exists(const std::string& key_and_id) {
  std::ifstream table("/proc/sysvipc/shm");
  std::string line;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string key;
    std::string id;
    fields >> key >> id;
    if (fmt::format("{} {}", key, id) == key_and_id) return true;
  }
  return false;
}

}  // namespace pgrehearse
