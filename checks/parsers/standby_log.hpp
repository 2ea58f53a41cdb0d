// What the log of a standby says about its connection to the primary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

struct StandbyLog {
  std::vector<std::string> stream_errors;  // of the WAL receiver, without time, oldest first
  std::vector<std::string> fatal_errors;   // FATAL and PANIC of the server, oldest first
};

StandbyLog parse_standby_log(const std::vector<std::string>& lines);

// Whether the primary will never stream to this standby: the WAL is gone, another cluster, another
// history.
bool is_final(std::string_view stream_error);

}  // namespace pgrehearse
