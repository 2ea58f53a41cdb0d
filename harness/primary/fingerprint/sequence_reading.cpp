#include "harness/primary/fingerprint/sequence_reading.hpp"

#include <fmt/format.h>

#include <utility>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr const char* sequences_sql = R"(
select format('%I.%I', n.nspname, c.relname), s.seqincrement, s.seqcycle, c.oid
  from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  join pg_namespace n on n.oid = c.relnamespace
 where c.relpersistence = 'p'
 order by convert_to(format('%I.%I', n.nspname, c.relname),
                     case when getdatabaseencoding() in ('SQL_ASCII', 'MULE_INTERNAL')
                          then getdatabaseencoding() else 'UTF8' end))";

constexpr std::size_t batch_length = 200;

}  // namespace

std::vector<SequenceState> read_sequences(Connection& connection) {
  const auto rows = connection.query(sequences_sql);
  std::vector<SequenceState> sequences;
  sequences.reserve(rows.rows.size());
  std::vector<std::string> statements;
  const auto read = [&] {
    const auto results = connection.pipeline(statements);
    const auto first = sequences.size() - results.size();
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto& sequence = sequences[first + i];
      sequence.error = results[i].error;
      sequence.locked = results[i].sqlstate == "55P03";
      if (!results[i].error.empty() || results[i].rows.rows.empty()) continue;
      const auto& values = results[i].rows;
      sequence.before = {.last_value = number_of<std::int64_t>(values.text(0, 0)),
                         .logged_ahead = number_of<std::int64_t>(values.text(0, 1)),
                         .called = values.text(0, 2) == "t",
                         .file_node = number_of<std::uint32_t>(values.text(0, 3))};
    }
    statements.clear();
  };
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    sequences.push_back({.name = rows.text(row, 0),
                         .increment = number_of<std::int64_t>(rows.text(row, 1)),
                         .cycles = rows.text(row, 2) == "t"});
    statements.push_back(
        fmt::format("select last_value, log_cnt, is_called, pg_relation_filenode({}) from {}",
                    rows.text(row, 3), rows.text(row, 0)));
    if (statements.size() == batch_length) read();
  }
  read();
  return sequences;
}

std::vector<SequenceState> merge_readings(std::vector<SequenceState> earlier,
                                          std::vector<SequenceState> later) {
  std::vector<SequenceState> merged;
  merged.reserve(later.size());
  auto old = earlier.begin();
  for (auto& state : later) {
    for (; old != earlier.end() && old->name < state.name; ++old) merged.push_back(std::move(*old));
    state.after = std::exchange(state.before, std::nullopt);
    if (old != earlier.end() && old->name == state.name) {
      state.before = old->before;
      ++old;
    }
    merged.push_back(std::move(state));
  }
  for (; old != earlier.end(); ++old) merged.push_back(std::move(*old));
  return merged;
}

}  // namespace pgrehearse
