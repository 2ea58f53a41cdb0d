#include "checks/parsers/standby_log.hpp"

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool contains_any(std::string_view text, std::span<const std::string_view> parts) {
  return std::ranges::any_of(parts, [&](auto part) { return contains(text, part); });
}

// lc_messages is C.
constexpr auto of_receiver = std::to_array<std::string_view>(
    {"could not connect to the primary server", "could not receive data from WAL stream",
     "could not start WAL streaming", "could not receive database system identifier",
     "could not send data to WAL stream", "database system identifier differs between",
     "highest timeline", "invalid response from primary", "primary server contains no more WAL",
     "could not receive timeline history"});

constexpr auto final_errors = std::to_array<std::string_view>(
    {"has already been removed", "database system identifier differs between", "highest timeline",
     "is not in this server's history", "is not a child of"});

constexpr auto of_sessions = std::to_array<std::string_view>(
    {"the database system is starting up", "the database system is not yet accepting",
     "terminating walreceiver process", "terminating connection"});

}  // namespace

StandbyLog parse_standby_log(const std::vector<std::string>& lines) {
  StandbyLog log;
  for (const auto& line : lines) {
    for (const std::string_view level : {"FATAL:  ", "PANIC:  ", "ERROR:  ", "LOG:  "}) {
      const auto at = line.find(level);
      if (at == std::string::npos) continue;
      const auto message = line.substr(at + level.size());
      const bool fatal = level == "FATAL:  " || level == "PANIC:  ";
      if (contains_any(message, of_receiver)) {
        log.stream_errors.push_back(message);
      } else if (fatal && !contains_any(message, of_sessions)) {
        log.fatal_errors.push_back(message);
      }
      break;
    }
  }
  return log;
}

bool is_final(std::string_view stream_error) { return contains_any(stream_error, final_errors); }

}  // namespace pgrehearse
