#include "harness/postgres/session_settings.hpp"

#include <fmt/format.h>

#include <array>
#include <span>

namespace pgrehearse {

namespace {

struct SessionSetting {
  std::string_view name;
  std::string_view value;
  int since = 0;  // PostgreSQL's major version
};

// Formats are the same on both sides of every comparison.
constexpr auto statement_settings = std::to_array<SessionSetting>({
    {"datestyle", "ISO,YMD"},
    {"timezone", "UTC"},
    {"extra_float_digits", "3"},
    {"intervalstyle", "postgres"},
    {"bytea_output", "hex"},
    {"xmlbinary", "base64"},
    {"lc_monetary", "C"},
    {"quote_all_identifiers", "off"},
    {"standard_conforming_strings", "on"},
    {"search_path", "pg_catalog"},
    {"statement_timeout", "0"},
    {"client_min_messages", "warning"},
    {"default_transaction_deferrable", "off"},
    {"default_transaction_isolation", "read committed"},
});

// While replay is paused, and where a transaction is prepared, locks are never released.
constexpr auto conduct_settings = std::to_array<SessionSetting>({
    {"local_preload_libraries", ""},
    {"role", "none"},
    {"row_security", "on"},
    {"lock_timeout", "5s"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0", 14},
    {"transaction_timeout", "0", 17},
});

// Only a superuser may set these: no library that this host may lack, no damage hidden, no trigger
// fired.
constexpr auto superuser_settings = std::to_array<SessionSetting>({
    {"session_preload_libraries", ""},
    {"zero_damaged_pages", "off"},
    {"ignore_checksum_failure", "off"},
    {"ignore_system_indexes", "off"},
    {"session_replication_role", "replica"},
    {"event_triggers", "off", 17},
    {"temp_file_limit", "-1"},
    {"default_transaction_read_only", "off"},
});

void add(std::string& options, std::span<const SessionSetting> settings, int major) {
  for (const auto& setting : settings) {
    if (setting.since > major) continue;
    options += fmt::format("{}-c {}={}", options.empty() ? "" : " ", setting.name,
                           escaped_option(setting.value));
  }
}

}  // namespace

std::string statement_options() {
  std::string options;
  add(options, statement_settings, 0);
  return options;
}

std::string copy_session_options(int major) {
  auto options = statement_options();
  add(options, conduct_settings, major);
  add(options, superuser_settings, major);
  return options;
}

std::string query_session_options(int major) {
  auto options = statement_options();
  add(options, conduct_settings, major);
  return options + " -c default_transaction_read_only=on";
}

std::vector<std::pair<std::string_view, std::string_view>> restricted_query_settings() {
  return {{"session_preload_libraries", ""},
          {"zero_damaged_pages", "off"},
          {"ignore_checksum_failure", "off"},
          {"temp_file_limit", "-1"}};
}

std::string reading_login(std::string_view run_id) {
  return fmt::format("pgrehearse_reader_{}", run_id);
}

std::string role_login(std::string_view run_id) {
  return fmt::format("pgrehearse_role_{}", run_id);
}

std::string escaped_option(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == ' ' || c == '\\' || c == '\t' || c == '\n') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace pgrehearse
