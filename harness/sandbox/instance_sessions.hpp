// Sessions in the copy. Its server, its files and the code in its data are not trusted.
#pragma once

#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

class InstanceSessions {
 public:
  explicit InstanceSessions(Sandbox& sandbox) : sandbox_(sandbox) {}

  // As superuser, with copy_session_options() of session_settings.hpp. Without a database: any that
  // accepts a session. Throws SqlError(kind), and SqlError(environment) with a code if the role or
  // a locale is missing, or if another server answers.
  Connection open(const std::string& database, ErrorKind kind, const std::stop_token& stop);
  // Those that allow connections, by name.
  std::vector<std::string> databases(const std::stop_token& stop);
  // In each database that accepts a session.
  void disable_event_triggers(const std::stop_token& stop);

 private:
  Connection open_named(const std::string& database, ErrorKind kind, const std::stop_token& stop);
  Connection open_any(ErrorKind kind, const std::stop_token& stop);
  [[nodiscard]] std::vector<std::string> candidates() const;

  Sandbox& sandbox_;
  std::mutex mutex_;
  std::string open_database_;  // accepted the last session without a name
};

// The databases that allow connections, by name, as the session sees them.
std::vector<std::string> databases_in(Connection& session);

}  // namespace pgrehearse
