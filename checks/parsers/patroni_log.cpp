#include "checks/parsers/patroni_log.hpp"

#include <algorithm>
#include <array>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr std::size_t most_errors = 200;
constexpr std::size_t longest_error = 300;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Of PostgreSQL's server, of Patroni, and of pg_basebackup.
bool is_error(std::string_view line) {
  constexpr auto marks = std::to_array<std::string_view>(
      {"ERROR:  ", "FATAL:  ", "PANIC:  ", " ERROR: ", " CRITICAL: ", "pg_basebackup: error: ",
       "WARNING:  checksum verification failed", "OSError: [Errno "});
  return std::ranges::any_of(marks, [&](auto mark) { return contains(line, mark); });
}

// What a healthy start logs as well.
bool is_harmless(std::string_view line) {
  constexpr auto messages = std::to_array<std::string_view>(
      {"the database system is starting up", "the database system is shutting down",
       "terminating connection due to administrator command", "Request to server ",
       "Failed to get list of machines", "watchprefix failed"});
  return std::ranges::any_of(messages, [&](auto message) { return contains(line, message); });
}

// Without time and process ID.
std::string_view message_in(std::string_view line) {
  for (const std::string_view mark :
       {"ERROR: ", "FATAL: ", "PANIC: ", "CRITICAL: ", "pg_basebackup: error: ", "WARNING: "}) {
    const auto at = line.find(mark);
    if (at != std::string_view::npos) return line.substr(at, longest_error);
  }
  return line.substr(0, longest_error);
}

}  // namespace

PatroniLog parse_patroni_log(std::string_view text) {
  PatroniLog log;
  for (const auto line : lines_of(text)) {
    if (contains(line, "trying to bootstrap a new cluster")) log.began_bootstrap = true;
    if (contains(line, "removing initialize key after failed attempt to bootstrap")) {
      log.failed_bootstrap = true;
    }
    if (contains(line, " ERROR: failed to bootstrap ")) ++log.failed_clones;
    if (!is_error(line) || is_harmless(line)) continue;
    const std::string message(message_in(line));
    const bool known = std::ranges::find(log.errors, message) != log.errors.end();
    if (!known && log.errors.size() < most_errors) log.errors.push_back(message);
  }
  return log;
}

}  // namespace pgrehearse
