// The header of a WAL segment's first page (xlog_internal.h, XLogLongPageHeaderData): which cluster
// wrote it, with which release and segment size.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "harness/postgres/lsn.hpp"

namespace pgrehearse {

struct WalPageHeader {
  int postgres_major = 0;  // 0: of an unknown release
  Timeline timeline = 0;
  std::uint64_t system_identifier = 0;
  std::uint64_t segment_size = 0;
};

// Bytes needed from the beginning of a segment.
constexpr std::size_t wal_page_header_size = 40;

// nullopt if `bytes` does not begin like a segment of PostgreSQL 10 or later.
std::optional<WalPageHeader> parse_wal_page_header(std::string_view bytes);

}  // namespace pgrehearse
