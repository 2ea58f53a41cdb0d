#include <cmath>
#include <memory>
#include <sstream>

#include "checks/parsers/patroni_keys.hpp"
#include "checks/parsers/patroni_log.hpp"
#include "checks/parsers/standby_log.hpp"
#include "harness/common/text.hpp"
#include "harness/postgres/commit_records.hpp"
#include "harness/postgres/lsn.hpp"
#include "harness/postgres/transaction_snapshot.hpp"
#include "harness/primary/fingerprint/fingerprint_file.hpp"
#include "harness/primary/patroni_cluster.hpp"
#include "harness/primary/snapshot/commit_order.hpp"
#include "tests/fuzz/feeding.hpp"
#include "tests/fuzz/targets.hpp"

namespace pgrehearse {

void feed_fingerprint(std::string_view input) {
  may_refuse([&] {
    FingerprintReader reader(std::make_unique<std::istringstream>(std::string(input)), "fuzz");
    std::ostringstream copy;
    FingerprintWriter writer(copy, reader.header());
    while (const auto* line = reader.next()) {
      std::visit(
          [&](const auto& item) {
            if constexpr (requires { writer.write(item); }) writer.write(item);
          },
          *line);
    }
    writer.finish();
    // A complete fingerprint must be readable again after it is written.
    FingerprintReader again(std::make_unique<std::istringstream>(copy.str()), "copy");
    databases_of(again);
  });
  may_refuse([&] {
    FingerprintReader reader(std::make_unique<std::istringstream>(std::string(input)), "fuzz");
    if (reader.seek("shop")) reader.next();
  });
}

void feed_patroni(std::string_view input) {
  may_refuse([&] {
    const auto cluster = parse_patroni_cluster(input);
    if (const auto* leader = cluster.leader(); leader != nullptr) {
      static_cast<void>(leader->runs());
    }
  });
  may_refuse([&] { parse_patroni_keys(input); });
  static_cast<void>(parse_patroni_log(input));
  std::vector<std::string> log;
  for (const auto line : lines_of(input)) log.emplace_back(line);
  for (const auto& error : parse_standby_log(log).stream_errors) {
    static_cast<void>(is_final(error));
  }
  static_cast<void>(scope_in_status(input));
  static_cast<void>(role_in_status(input));
}

// Two parts: pg_waldump's lines, and a snapshot.
void feed_waldump(std::string_view input) {
  const auto [lines, snapshot_text] = parts_of<2>(input);
  const auto commits = parse_commits(lines);
  for (const auto& commit : commits) {
    must(parse_lsn(to_text(commit.lsn)) == commit.lsn, "a position is read as it was written");
    if (commit.time) {
      must(parse_instant(to_iso8601(*commit.time)) == commit.time, "a time is read as written");
    }
  }
  if (const auto snapshot = parse_transaction_snapshot(snapshot_text)) {
    static_cast<void>(find_cut(*snapshot, commits, Lsn{1U << 30U}));
  }
  for (const std::uint64_t size : {1U << 20U, 16U << 20U}) {
    const auto segment = parse_wal_segment(snapshot_text.substr(0, 24), size);
    if (segment && snapshot_text.size() >= 24) {
      must(parse_wal_segment(file_name(*segment, size), size) == segment, "a name names itself");
    }
  }
  may_refuse([&, text = snapshot_text] { parse_timeline_history(text); });
}

}  // namespace pgrehearse
