// One drill of a hostile cluster: whatever its configuration, its system catalog and the harness's
// environment contain, the copy connects nowhere, nobody can connect to it, and no secret leaks.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <thread>

#include "harness/common/text.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/process_table.hpp"
#include "tests/drills/drill_fixture.hpp"
#include "tests/fakes/network_trap.hpp"

namespace pgrehearse {
namespace {

namespace fs = std::filesystem;

std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> inodes;
  std::error_code gone;
  for (fs::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", gone), end;
       !gone && entry != end; entry.increment(gone)) {
    std::error_code closed;
    const auto target = fs::read_symlink(entry->path(), closed).native();
    if (target.starts_with("socket:[")) inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}

// Local address and state of each TCP or UDP socket whose inode is among these.
std::vector<std::string> network_sockets(const std::set<std::string>& inodes) {
  std::vector<std::string> found;
  for (const auto* table : {"tcp", "tcp6", "udp", "udp6"}) {
    std::ifstream in(std::string("/proc/net/") + table);
    std::string line;
    while (std::getline(in, line)) {
      std::istringstream words(line);
      const std::vector<std::string> fields{std::istream_iterator<std::string>(words), {}};
      if (fields.size() > 9 && inodes.contains(fields[9])) {
        found.push_back(std::string(table) + " " + fields[1] + " to " + fields[2]);
      }
    }
  }
  return found;
}

// Inspects the processes of the host repeatedly while a drill runs.
class Watch {
 public:
  Watch(fs::path state, std::vector<std::string> secrets)
      : state_(std::move(state)),
        secrets_(std::move(secrets)),
        thread_([this](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            look();
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
          }
        }) {}

  void end() {
    thread_.request_stop();
    thread_.join();
  }

  std::set<std::string> leaked;           // secrets in an argv or in a child's environment
  std::set<std::string> network;          // TCP and UDP sockets of the instance
  std::set<std::string> titles;           // of the instance's processes
  std::set<unsigned> socket_permissions;  // of the directories that hold its sockets
  int instance_seen = 0;
  int environments_seen = 0;
  std::size_t sockets_seen = 0;  // of any kind

 private:
  void look() {
    std::set<std::string> inodes;
    for (const auto& process : all_processes()) {
      const auto directory = "/proc/" + std::to_string(process.pid);
      auto line = content_of(directory + "/cmdline");
      std::replace(line.begin(), line.end(), '\0', ' ');
      const ActingAccount as_owner(owner_of(process));
      std::error_code gone;
      const auto place = fs::read_symlink(directory + "/cwd", gone).native();
      const bool inside = place.starts_with(state_.native() + "/");
      if (inside || line.find(state_.native()) != std::string::npos) {
        note_secrets(line, "argv of " + process.name);
        // The harness itself receives them from its caller.
        if (process.name != "pgrehearse") {
          const auto environment = content_of(directory + "/environ");
          environments_seen += environment.empty() ? 0 : 1;
          note_secrets(environment, "environment of " + process.name);
        }
      }
      if (!inside || process.name != "postgres") continue;
      ++instance_seen;
      titles.insert(line);
      auto sockets_held = sockets_of(process.pid);
      sockets_seen += sockets_held.size();
      inodes.merge(sockets_held);
      struct stat status {};
      const auto sockets = fs::path(place).parent_path() / "s";
      if (stat(sockets.c_str(), &status) == 0) socket_permissions.insert(status.st_mode & 0777U);
    }
    for (auto& socket : network_sockets(inodes)) network.insert(std::move(socket));
  }
  void note_secrets(const std::string& text, const std::string& where) {
    for (const auto& secret : secrets_) {
      if (text.find(secret) == std::string::npos) continue;
      leaked.insert(std::string(secret).append(" in the ").append(where));
    }
  }

  fs::path state_;
  std::vector<std::string> secrets_;
  std::jthread thread_;
};

constexpr const char* dsn_password = "hostile-dsn-password";
constexpr const char* environment_password = "hostile-environment-password";
constexpr const char* cipher_passphrase = "hostile-cipher-passphrase";

class Quarantine : public DrillTest {
 protected:
  // What is restored with the system catalog.
  void make_catalog_hostile(const Laboratory& primary, const NetworkTrap& trap) const {
    auto sql = primary.connect("postgres", {});
    sql.query("create database hostile");
    auto inside = primary.connect("hostile", {});
    inside.query("create table public.kept as select generate_series(1, 1000) n");
    inside.query("create index on public.kept (n)");
    inside.query("create publication everything for all tables");
    inside.query("create subscription hijack connection 'host=127.0.0.1 port=" +
                 std::to_string(trap.port()) +
                 " dbname=x user=x' publication p with (connect = false)");
    inside.query("alter subscription hijack enable");
    inside.query(
        "create function public.mark() returns event_trigger language plpgsql as $$ begin "
        "copy (select 1) to program 'touch " +
        marker("event-trigger").native() + "'; raise exception 'hostile'; end $$");
    inside.query("create event trigger hostile on ddl_command_end execute function public.mark()");
    for (const auto* setting :
         {"session_preload_libraries = 'no_such_library'", "default_transaction_read_only = on",
          "zero_damaged_pages = on", "ignore_checksum_failure = on", "statement_timeout = '1ms'",
          "role = 'pg_monitor'", "session_replication_role = 'origin'"}) {
      sql.query(std::string("alter role postgres in database hostile set ") + setting);
    }
  }

  // What is restored with the data directory; the running primary does not read it.
  void make_files_hostile(const Laboratory& primary, const NetworkTrap& trap) const {
    const auto& data = primary.paths().data;
    const auto touch = [&](const char* name) { return "'touch " + marker(name).native() + "'"; };
    const auto settings =
        "\nlisten_addresses = '*'\nport = 5433\nunix_socket_directories = '/tmp'\n"
        "archive_mode = always\narchive_command = " +
        touch("archive") + "\nrecovery_end_command = " + touch("recovery-end") +
        "\narchive_cleanup_command = " + touch("cleanup") +
        "\nrestore_command = " + touch("restore") +
        "\nprimary_conninfo = 'host=127.0.0.1 port=" + std::to_string(trap.port()) +
        "'\nprimary_slot_name = 'stolen'\nssl = on\nssl_cert_file = '/nonexistent'\n"
        "shared_preload_libraries = 'no_such_library,pg_stat_statements'\n"
        "session_preload_libraries = 'no_such_library'\ncron.database_name = 'postgres'\n"
        "fsync = on\nautovacuum = on\nlogging_collector = on\nhot_standby = off\n"
        "external_pid_file = '" +
        marker("pid-file").native() +
        "'\nmax_logical_replication_workers = 4\nmax_connections = 11\n";
    std::ofstream(data / "postgresql.conf", std::ios::app) << settings;
    std::ofstream(data / "postgresql.auto.conf", std::ios::app)
        << settings << "recovery_target_time = '2001-01-01 00:00:00+00'\n";
    std::ofstream(data / "pg_hba.conf") << "local all all trust\nhost all all 0.0.0.0/0 trust\n";
  }

  [[nodiscard]] fs::path marker(const std::string& name) const {
    return scratch / "markers" / name;
  }

  static std::string setting_check(const std::string& name, const std::string& value) {
    return "  - query: { name: \"" + name +
           "\", database: postgres, expect: true, sql: \"select current_setting('" + name +
           "') = '" + value + "'\" }\n";
  }

  [[nodiscard]] std::string hostile_scenario(const Laboratory& primary) const {
    auto text = primary.scenario_text("hostile", "checks:\n");
    const auto dsn = primary.dsn("postgres");
    text.replace(text.find(dsn), dsn.size(), dsn + " password=${HOSTILE_PASSWORD}");
    for (const auto& [name, value] :
         std::map<std::string, std::string>{{"listen_addresses", ""},
                                            {"archive_mode", "off"},
                                            {"archive_command", "(disabled)"},
                                            {"recovery_end_command", ""},
                                            {"archive_cleanup_command", ""},
                                            {"primary_conninfo", ""},
                                            {"primary_slot_name", ""},
                                            {"ssl", "off"},
                                            {"shared_preload_libraries", ""},
                                            {"autovacuum", "off"},
                                            {"fsync", "off"},
                                            {"full_page_writes", "off"},
                                            {"max_logical_replication_workers", "0"}}) {
      text += setting_check(name, value);
    }
    return text + R"(  - query:
      name: sessions
      database: hostile
      as: superuser
      sql: >-
        select array[current_setting('session_preload_libraries'),
        current_setting('zero_damaged_pages'), current_setting('ignore_checksum_failure'),
        current_setting('default_transaction_read_only'), current_user::text]
      expect: "{\"\",off,off,off,postgres}"
  - query:
      name: only local and by the own rules
      database: postgres
      as: superuser
      sql: select count(*) from pg_hba_file_rules where type <> 'local' or auth_method = 'trust'
      expect: 0
  - query:
      name: no worker
      database: postgres
      sql: >-
        select count(*) from pg_sleep(1), pg_stat_activity where backend_type in
        ('walreceiver', 'archiver', 'autovacuum launcher', 'logical replication launcher',
        'logical replication worker')
      expect: 0
  - row_counts
  - amcheck
  - page_checksums
)";
  }

  // Statements that the harness's role sent, from the primary's log.
  static std::vector<std::string> statements(const fs::path& log) {
    std::vector<std::string> found;
    const auto text = content_of(log);
    for (const auto line : lines_of(text)) {
      if (line.find("|pgrehearse|") == std::string_view::npos) continue;
      for (const std::string_view begin : {"LOG:  statement: ", "LOG:  execute "}) {
        const auto at = line.find(begin);
        if (at == std::string_view::npos) continue;
        auto statement = line.substr(at + begin.size());
        if (begin.find("execute") != std::string_view::npos) {
          statement = statement.substr(statement.find(": ") + 2);
        }
        found.emplace_back(line.substr(0, line.find('|')));
        found.back() += "|" + std::string(trim(statement));
      }
    }
    return found;
  }

  static void expect_only_reads(const std::vector<std::string>& statements) {
    EXPECT_GT(statements.size(), 3U);
    constexpr std::array<std::string_view, 8> readers{"select", "begin",    "set",  "show",
                                                      "commit", "rollback", "with", "start"};
    constexpr std::array<std::string_view, 9> writers{
        "insert ",       "update ",     "delete ",  "create ",   "pg_switch_wal",
        "restore_point", "set_config(", "nextval(", "for update"};
    for (const auto& entry : statements) {
      EXPECT_TRUE(entry.starts_with("pgrehearse|")) << "application_name: " << entry;
      auto statement = entry.substr(entry.find('|') + 1);
      std::transform(statement.begin(), statement.end(), statement.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      });
      const bool reads =
          statement.empty() || std::any_of(readers.begin(), readers.end(),
                                           [&](auto word) { return statement.starts_with(word); });
      EXPECT_TRUE(reads) << entry;
      for (const auto word : writers) {
        EXPECT_EQ(statement.find(word), std::string::npos) << entry;
      }
    }
  }

  void expect_no_secret_written(const DrillRun& run) const {
    auto all = run.output + run.error_output;
    for (const auto& entry : fs::recursive_directory_iterator(state)) {
      if (entry.is_regular_file()) all += content_of(entry.path());
    }
    all += content_of(scratch / "report.json");
    for (const auto* secret : {dsn_password, environment_password, cipher_passphrase}) {
      EXPECT_EQ(all.find(secret), std::string::npos) << secret << " is in a report or a log";
    }
  }
};

TEST_F(Quarantine, HostileClusterConnectsNowhereAndLeaksNoSecret) {
  const NetworkTrap trap;
  fs::create_directory(scratch / "markers");
  fs::permissions(scratch / "markers", fs::perms(0777));
  auto own = make_laboratory({.cipher_passphrase = cipher_passphrase});
  auto sql = own->connect("postgres", {});
  sql.query("alter system set max_logical_replication_workers = 0");
  sql.query("alter system set log_statement = 'all'");
  sql.query("alter system set log_line_prefix = '%a|%u|'");
  own->stop({});
  own->start({});
  make_catalog_hostile(*own, trap);
  make_files_hostile(*own, trap);
  own->back_up(BackupType::full, {});
  own->connect("postgres", {}).query("create table public.later as select 1 n");
  own->switch_wal_and_wait({});

  const auto before = list_files(own->paths().repository);
  Watch watch(state, {dsn_password, environment_password, cipher_passphrase});
  const auto file = scratch / "scenario.yaml";
  std::ofstream(file) << hostile_scenario(*own);
  const auto run = pgrehearse({"run", file}, {{"HOSTILE_PASSWORD", dsn_password},
                                              {"PGPASSWORD", environment_password},
                                              {"PGTARGETSESSIONATTRS", "read-write"}});
  watch.end();

  EXPECT_EQ(run.exit_code, 0) << run.text();
  ASSERT_TRUE(run.report.has_value()) << run.text();
  for (const auto& check : run.report->checks) {
    EXPECT_EQ(check.verdict, Verdict::pass) << check.name << ": " << check.summary;
  }
  EXPECT_FALSE(trap.called()) << "the copy connected to production";
  for (const auto& entry : fs::directory_iterator(scratch / "markers")) {
    ADD_FAILURE() << "the copy ran " << entry.path().filename();
  }
  EXPECT_EQ(list_files(own->paths().repository), before);

  EXPECT_GT(watch.instance_seen, 0);
  EXPECT_GT(watch.environments_seen, 0);
  EXPECT_GT(watch.sockets_seen, 0U);
  EXPECT_EQ(watch.network, std::set<std::string>{});
  EXPECT_EQ(watch.socket_permissions, std::set<unsigned>{0700U});
  EXPECT_EQ(watch.leaked, std::set<std::string>{});
  for (const auto& title : watch.titles) {
    for (const auto* worker : {"walreceiver", "archiver", "autovacuum", "logical replication"}) {
      EXPECT_EQ(title.find(std::string("postgres: ") + worker), std::string::npos) << title;
    }
  }
  expect_no_secret_written(run);
  expect_only_reads(statements(own->paths().logs / "postgresql.log"));
  expect_nothing_left();
}

// libpq prefers an address to a host: the drill must not connect to a server other than its own.
TEST_F(Quarantine, AddressInTheEnvironmentIsNotConnectedTo) {
  const NetworkTrap trap;
  auto text = scenario("checks: [databases]\n");
  const auto begin = text.find("primary:");
  text.erase(begin, text.find('\n', begin) - begin);
  const auto file = scratch / "scenario.yaml";
  std::ofstream(file) << text;
  const auto run = pgrehearse(
      {"run", file}, {{"PGHOSTADDR", "127.0.0.1"}, {"PGPORT", std::to_string(trap.port())}});
  EXPECT_EQ(run.exit_code, 2) << run.text();
  EXPECT_FALSE(trap.called());
  EXPECT_NE(run.findings().find("PGHOSTADDR"), std::string::npos) << run.findings();
  expect_nothing_left();
}

}  // namespace
}  // namespace pgrehearse
