#include "checks/index_probe/index_prober.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "checks/index_probe/backend_watchdog.hpp"
#include "checks/index_probe/probe_query.hpp"
#include "checks/parsers/damage_messages.hpp"
#include "checks/shared/database_walk.hpp"
#include "harness/common/counted.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto longest_statement = milliseconds(20s);
// A statement that ignores its timeout for so long loops in a damaged page.
constexpr auto grace = milliseconds(10s);
constexpr std::string_view query_canceled = "57014";
constexpr std::size_t first_batch = 20;
constexpr std::size_t largest_batch = 2000;

// Indexes of these have no pages of zeroes; hash indexes allocate theirs in advance.
constexpr std::array<std::string_view, 4> written_methods{"gin", "gist", "spgist", "brin"};

constexpr const char* zero_pages_sql = R"(
select min(b)
  from pg_catalog.generate_series($2::int8, $3::int8) as b,
       (select setting::int8 as blocks from pg_catalog.pg_settings where name = 'segment_size') s,
       (select current_setting('block_size')::int8 as size) as p
 where pg_catalog.pg_read_binary_file(
           pg_catalog.pg_relation_filepath($1::oid)
             || case when b < s.blocks then '' else '.' || b / s.blocks end,
           b % s.blocks * p.size, p.size)
       = pg_catalog.decode(pg_catalog.repeat('00', p.size::int), 'hex'))";

// The planner may use one access path only. gin_fuzzy_search_limit would drop rows at random.
constexpr const char* settings_sql = R"(
select pg_catalog.set_config(name, value, true)
  from (values ('enable_seqscan', 'off'), ('enable_indexonlyscan', 'off'),
               ('enable_indexscan', 'on'), ('enable_bitmapscan', 'on'), ('enable_tidscan', 'on'),
               ('enable_nestloop', 'on'), ('max_parallel_workers_per_gather', '0'), ('jit', 'off'),
               ('constraint_exclusion', 'off'), ('gin_fuzzy_search_limit', '0'),
               ('row_security', 'on'), ('lock_timeout', '30s')) as s(name, value))";

void limit_statement(Connection& sql, milliseconds limit) {
  sql.query(fmt::format("set statement_timeout = {}", std::max<std::int64_t>(limit.count(), 100)));
}

milliseconds left_until(IndexProber::Clock::time_point until) {
  return std::chrono::duration_cast<milliseconds>(until - IndexProber::Clock::now());
}

bool is_lost(const SqlError& error) {
  return error.sqlstate().empty() || error.sqlstate().starts_with("57P0") ||
         error.sqlstate().starts_with("08");
}

bool is_damage(const SqlError& error) {
  const auto& state = error.sqlstate();
  // XX001, XX002: data or index corrupted. XX000: an access method met what it cannot interpret.
  return state.starts_with("XX") || state == "58P01" || state == "58030" ||
         tells_of_damage(error.what());
}

}  // namespace

IndexProber::IndexProber(const InstanceContext& context, const SampleRules& rules,
                         Clock::time_point deadline, FindingList& findings, ProbeTally& tally)
    : context_(context), rules_(rules), deadline_(deadline), findings_(findings), tally_(tally) {}

std::string IndexProber::object_of(const std::string& name) const {
  return fmt::format("{}.{}", database_, name);
}

bool IndexProber::probe(const std::string& database, Connection& sql,
                        const std::vector<ProbeIndex>& indexes) {
  database_ = database;
  sampled_table_.clear();
  process_id_ = sql.query("select pg_catalog.pg_backend_pid()").text(0, 0);
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    const auto share = left_until(deadline_) / static_cast<std::int64_t>(indexes.size() - i);
    if (!probe_guarded(sql, indexes[i], Clock::now() + std::max(share, milliseconds(200)))) {
      return false;
    }
    if (context_.on_progress) {
      context_.on_progress(i + 1, indexes.size(), "indexes of " + database);
    }
  }
  return true;
}

bool IndexProber::probe_guarded(Connection& sql, const ProbeIndex& index, Clock::time_point until) {
  hung_ = false;
  try {
    probe_index(sql, index, until);
  } catch (const SqlError& error) {
    if (is_lost(error)) {
      findings_.add(
          {.code = FindingCode::probe_index,
           .object = object_of(index.name),
           .message = hung_ ? fmt::format("a search through {} index {} does not end and cannot be "
                                          "canceled; the server was stopped",
                                          index.method, object_of(index.name))
                            : fmt::format("the server crashed during a search through {} index {}",
                                          index.method, object_of(index.name)),
           .hint = fmt::format("on the primary: REINDEX INDEX CONCURRENTLY {}", index.name)});
      return false;
    }
    sql.query("rollback");
    report_error(sql, index, error);
  }
  return true;
}

// A damaged index may keep the server in a loop that ignores its statement timeout.
Rows IndexProber::search(Connection& sql, const std::string& statement, const Field& positions) {
  const BackendWatchdog watchdog([this] { return context_.connect(database_); }, process_id_,
                                 longest_statement + grace);
  const std::array<Field, 1> parameters{positions};
  try {
    return sql.query(statement, parameters);
  } catch (const SqlError&) {
    hung_ = watchdog.fired();
    throw;
  }
}

void IndexProber::probe_index(Connection& sql, const ProbeIndex& index, Clock::time_point until) {
  if (has_zero_page(sql, index)) return;
  if (!index.reason.empty()) return not_probed(index, index.reason);
  if (!sample(sql, index)) return;
  limit_statement(sql, std::clamp(left_until(until), milliseconds(200), longest_statement));
  sql.query("begin isolation level read committed read write");
  sql.query(settings_sql);
  disable_indexes(sql, index, index.oid);
  Lookups lookups;
  bool used = true;
  try {
    for (const auto& statement : lookup_statements(index)) {
      used = used && look_up(sql, index, statement, until, lookups);
    }
  } catch (const SqlError& error) {
    if (error.sqlstate() != query_canceled || lookups.rows == 0) throw;
    lookups.complete = false;
  }
  const bool misled = lookups.lost > 0 && has_nan(sql, index);
  sql.query("rollback");
  if (!used) return not_probed(index, "the planner does not use it");
  if (misled) return not_probed(index, "its column contains NaN, which hides other rows from it");
  report(index, lookups);
}

void IndexProber::not_probed(const ProbeIndex& index, const std::string& reason) {
  ++tally_.not_probed;
  findings_.add({.code = FindingCode::probe_unsupported,
                 .object = object_of(index.name),
                 .message = fmt::format("{} index {} was not probed: {}", index.method,
                                        object_of(index.name), reason),
                 .details = {{"method", index.method}}});
}

// A bounding box that contains NaN hides other rows, on the primary too.
bool IndexProber::has_nan(Connection& sql, const ProbeIndex& index) {
  return std::ranges::any_of(index.columns, [&](const auto& column) {
    return column.skip_nan && column.reason.empty() &&
           !sql.query(fmt::format("select from only {} where {}::text ~* 'nan' limit 1",
                                  index.table, column.name))
                .rows.empty();
  });
}

bool IndexProber::has_zero_page(Connection& sql, const ProbeIndex& index) {
  if (std::ranges::find(written_methods, index.method) == written_methods.end()) return false;
  constexpr std::uint64_t chunk = 20000;
  // SP-GiST reserves pages that it writes when they are used: only the root pages and the page
  // before them are always written. Rows on a lost page are missed by the lookups.
  constexpr std::uint64_t written_by_spgist = 3;
  const auto blocks =
      index.method == "spgist" ? std::min(index.blocks, written_by_spgist) : index.blocks;
  for (std::uint64_t block = 0; block < blocks; block += chunk) {
    if (left_until(deadline_) <= 0ms) {
      ++tally_.partly;
      return false;
    }
    limit_statement(sql, longest_statement);
    const std::array<Field, 3> range{index.oid, std::to_string(block),
                                     std::to_string(std::min(block + chunk, blocks) - 1)};
    const auto zero = sql.query(zero_pages_sql, range);
    if (!zero.rows.at(0).at(0)) continue;
    findings_.add({.code = FindingCode::probe_index,
                   .object = object_of(index.name),
                   .message = fmt::format("block {} of {} index {} contains only zeroes",
                                          zero.text(0, 0), index.method, object_of(index.name)),
                   .hint = fmt::format("on the primary: REINDEX INDEX CONCURRENTLY {}", index.name),
                   .details = {{"block", zero.text(0, 0)}, {"method", index.method}}});
    return true;
  }
  return false;
}

// Until the end of the transaction. The planner does not even read the expressions of an invalid
// index, which it would evaluate where they are constant.
void IndexProber::disable_indexes(Connection& sql, const ProbeIndex& index,
                                  const std::string& except) {
  const std::array<Field, 2> others{index.table_oid, except};
  sql.query(
      "update pg_catalog.pg_index set indisvalid = false "
      "where indrelid = $1::oid and indexrelid <> $2::oid and indisvalid",
      others);
}

bool IndexProber::sample(Connection& sql, const ProbeIndex& index) {
  if (sampled_table_ == index.table) return readable_;
  sampled_table_ = index.table;
  readable_ = false;
  rows_.clear();
  limit_statement(sql, std::max(left_until(deadline_), milliseconds(1s)));
  sql.query("begin isolation level read committed read write");
  try {
    sql.query("set local lock_timeout = '30s'");
    disable_indexes(sql, index, "0");
    rows_ = sample_rows(sql, index.table, index.table_blocks, rules_);
    readable_ = true;
  } catch (const SqlError& error) {
    if (is_lost(error)) throw;
    const bool damage = is_damage(error);
    findings_.add({.code = damage ? FindingCode::rows_unreadable : FindingCode::probe_incomplete,
                   .object = object_of(index.table),
                   .message = fmt::format("table {} could not be read: {}", object_of(index.table),
                                          error.what()),
                   .details = {{"sqlstate", error.sqlstate()}}});
  }
  sql.query("rollback");
  return readable_;
}

bool IndexProber::look_up(Connection& sql, const ProbeIndex& index, const std::string& statement,
                          Clock::time_point until, Lookups& lookups) {
  if (rows_.empty()) return true;
  const auto plan = search(sql, "explain (format json) " + statement, to_array(rows_.data(), 1));
  if (!plan_uses(plan.text(0, 0), index)) return false;
  auto batch = first_batch;
  for (std::size_t at = 0; at < rows_.size();) {
    if (left_until(until) <= 0ms && at > 0) {
      lookups.complete = false;
      break;
    }
    const auto count = std::min(batch, rows_.size() - at);
    const auto began = Clock::now();
    const auto found = search(sql, statement, to_array(rows_.data() + at, count));
    lookups.rows += number_of<std::uint64_t>(found.text(0, 0));
    lookups.lost += number_of<std::uint64_t>(found.text(0, 1));
    if (lookups.positions.empty()) lookups.positions = found.text(0, 2);
    at += count;
    const auto took = Clock::now() - began;
    if (took < 200ms) batch = std::min(batch * 4, largest_batch);
    if (took > 1s) batch = std::max<std::size_t>(batch / 4, 1);
  }
  return true;
}

void IndexProber::report(const ProbeIndex& index, const Lookups& lookups) {
  ++(lookups.rows == 0 ? tally_.empty : tally_.probed);
  tally_.rows += lookups.rows;
  if (!lookups.complete) ++tally_.partly;
  if (lookups.lost == 0) return;
  const auto object = object_of(index.name);
  findings_.add(
      {.code = FindingCode::probe_row_missing,
       .object = object,
       .message = fmt::format("{} index {} on {} does not return {} of {} looked up by their own "
                              "value, for example ({})",
                              index.method, object, object_of(index.table), lookups.lost,
                              counted(lookups.rows, "row", "rows"), lookups.positions),
       .hint = fmt::format("on the primary: REINDEX INDEX CONCURRENTLY {}", index.name),
       .details = {{"table", object_of(index.table)},
                   {"method", index.method},
                   {"rows", std::to_string(lookups.rows)},
                   {"missing", std::to_string(lookups.lost)},
                   {"positions", lookups.positions}}});
}

// The error then comes from a value that only the index contains.
bool IndexProber::succeeds_without_index(Connection& sql, const ProbeIndex& index) {
  constexpr std::size_t few = 10;
  bool succeeded = true;
  limit_statement(sql, longest_statement);
  sql.query("begin isolation level read committed read write");
  try {
    disable_indexes(sql, index, "0");
    for (const auto& statement : lookup_statements(index)) {
      search(sql, statement, to_array(rows_.data(), std::min(few, rows_.size())));
    }
  } catch (const SqlError& error) {
    if (is_lost(error)) throw;
    succeeded = false;
  }
  sql.query("rollback");
  return succeeded;
}

void IndexProber::report_error(Connection& sql, const ProbeIndex& index, const SqlError& error) {
  const auto object = object_of(index.name);
  constexpr std::string_view data_exception = "22";
  constexpr std::string_view undefined_object = "42704";  // "type with OID 4329280 does not exist"
  const bool of_value =
      error.sqlstate().starts_with(data_exception) || error.sqlstate() == undefined_object;
  const bool invalid_value = of_value && !rows_.empty() && succeeds_without_index(sql, index);
  if (invalid_value || is_damage(error)) {
    findings_.add({.code = FindingCode::probe_index,
                   .object = object,
                   .message = fmt::format("{} index {} cannot be read: {}", index.method, object,
                                          error.what()),
                   .hint = fmt::format("on the primary: REINDEX INDEX CONCURRENTLY {}", index.name),
                   .details = {{"sqlstate", error.sqlstate()}, {"method", index.method}}});
    return;
  }
  const bool too_slow = error.sqlstate() == query_canceled;
  findings_.add(
      {.code = FindingCode::probe_incomplete,
       .object = object,
       .message = fmt::format("{} index {} was not probed: {}", index.method, object, error.what()),
       .hint = too_slow ? "raise `max_seconds`, or name fewer `tables`" : "",
       .details = {{"sqlstate", error.sqlstate()}, {"method", index.method}}});
}

}  // namespace pgrehearse
