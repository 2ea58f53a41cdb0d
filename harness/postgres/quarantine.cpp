#include "harness/postgres/quarantine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using SettingMap = std::map<std::string, std::string>;

std::string megabytes(std::uint64_t bytes) { return fmt::format("{}MB", bytes >> 20U); }

// Shared memory for the copy, not for production: a quarter of the sandbox's memory, with limits.
SettingMap memory_settings(const QuarantineInput& input) {
  constexpr std::uint64_t mb = std::uint64_t{1} << 20U;
  const auto memory = std::max<std::uint64_t>(input.memory.count, 256 * mb);
  const auto workers = static_cast<std::uint64_t>(std::max(input.cpus, 1));
  return {
      {"shared_buffers", megabytes(std::clamp(memory / 4, 64 * mb, 4096 * mb))},
      {"maintenance_work_mem", megabytes(std::clamp(memory / 8 / workers, 64 * mb, 1024 * mb))},
      {"work_mem", megabytes(std::clamp(memory / 32 / workers, 4 * mb, 128 * mb))},
      {"effective_cache_size", megabytes(std::min(memory / 2, std::uint64_t{4096} * 1024 * mb))},
      {"huge_pages", "off"},
      {"dynamic_shared_memory_type", "mmap"},
      {"max_parallel_workers_per_gather", std::to_string(input.cpus)},
      {"max_parallel_maintenance_workers", std::to_string(input.cpus)}};
}

// At least pg_control's values: with less, the server does not start, or replay fails or pauses
// (from PostgreSQL 14).
SettingMap minimum_settings(const QuarantineInput& input) {
  const auto& control = input.control;
  const auto segment = control.wal_segment_size;
  constexpr std::uint64_t mb = std::uint64_t{1} << 20U;
  return {// PostgreSQL's default, or its minimum of two segments.
          {"min_wal_size", megabytes(std::max(80 * mb, 2 * segment))},
          {"max_wal_size", megabytes(std::max(1024 * mb, 4 * segment))},
          {"max_connections", std::to_string(std::max(control.max_connections, 20))},
          {"max_worker_processes",
           std::to_string(std::max(control.max_worker_processes, input.cpus + 4))},
          {"max_wal_senders", std::to_string(control.max_wal_senders)},
          {"max_prepared_transactions", std::to_string(control.max_prepared_transactions)},
          {"max_locks_per_transaction",
           std::to_string(std::max(control.max_locks_per_transaction, 64))}};
}

SettingMap silence_settings(const QuarantineInput& input) {
  SettingMap settings{{"listen_addresses", ""},
                      {"unix_socket_directories", input.sockets},
                      {"unix_socket_permissions", "0700"},
                      {"unix_socket_group", ""},
                      {"port", std::to_string(input.port)},
                      {"data_directory", input.data},
                      {"hba_file", input.configuration / "pg_hba.conf"},
                      {"ident_file", input.configuration / "pg_ident.conf"},
                      {"external_pid_file", ""},
                      {"archive_mode", "off"},
                      {"archive_command", ""},
                      {"archive_cleanup_command", ""},
                      {"recovery_end_command", ""},
                      {"primary_conninfo", ""},
                      {"primary_slot_name", ""},
                      {"synchronous_standby_names", ""},
                      {"max_logical_replication_workers", "0"},
                      {"shared_preload_libraries", join(input.preload_libraries, ",")},
                      {"session_preload_libraries", ""},
                      {"local_preload_libraries", ""},
                      {"autovacuum", "off"},
                      {"ssl", "off"},
                      {"logging_collector", "off"},
                      {"log_destination", "stderr"},
                      {"restart_after_crash", "off"},
                      {"bonjour", "off"}};
  if (input.major >= 15) settings["archive_library"] = "";
  if (input.major >= 17) settings["summarize_wal"] = "off";
  return settings;
}

SettingMap throwaway_settings() {
  return {{"fsync", "off"},
          {"full_page_writes", "off"},
          {"synchronous_commit", "off"},
          {"wal_level", "replica"},
          {"hot_standby", "on"},
          {"wal_retrieve_retry_interval", "100ms"},
          {"checkpoint_timeout", "30min"},
          {"max_standby_archive_delay", "-1"},
          {"log_line_prefix", "%m [%p] "},
          {"log_timezone", "UTC"},
          {"timezone", "UTC"},
          {"datestyle", "ISO, YMD"},
          {"lc_messages", "C"},
          {"log_min_messages", "info"},
          {"log_checkpoints", "off"},
          {"default_transaction_read_only", "off"},
          {"statement_timeout", "0"},
          // While replay is paused, locks of running transactions are never released.
          {"lock_timeout", "5s"}};
}

}  // namespace

Quarantine make_quarantine(const QuarantineInput& input) {
  Quarantine quarantine;
  quarantine.command_line = silence_settings(input);
  quarantine.command_line.merge(minimum_settings(input));
  quarantine.command_line.merge(throwaway_settings());
  quarantine.command_line["config_file"] = input.configuration / "postgresql.conf";

  auto file = memory_settings(input);
  if (!input.restore_command.empty()) file["restore_command"] = input.restore_command;
  for (const auto& [name, value] : input.recovery) file[name] = value;
  if (!input.recovery.empty()) file["recovery_target_action"] = "pause";
  quarantine.postgresql_conf =
      "# Generated for one drill. Production's configuration is not used.\n";
  for (const auto& [name, value] : file) {
    quarantine.postgresql_conf += fmt::format("{} = {}\n", name, quote_setting(value));
  }

  auto roles = input.logins;
  roles.insert(roles.begin(), input.superuser);
  for (const auto& role : roles) {
    quarantine.hba += fmt::format("local all \"{}\" peer map=pgrehearse\n", role);
    for (const auto& account : input.accounts) {
      quarantine.ident += fmt::format("pgrehearse \"{}\" \"{}\"\n", account, role);
    }
  }
  quarantine.hba += "local all all reject\n";
  return quarantine;
}

}  // namespace pgrehearse
