// The parsers of data from outside pgrehearse, each fed with arbitrary bytes. Invalid input is an
// Error; any other outcome, and an Error whose likely cause is pgrehearse itself, is a bug.
#pragma once

#include <span>
#include <string_view>

namespace pgrehearse {

struct FuzzTarget {
  std::string_view name;   // also the name of its directory in corpus/
  std::string_view feeds;  // what is parsed
  void (*feed)(std::string_view input) = nullptr;
};

std::span<const FuzzTarget> fuzz_targets();
// nullptr if there is none with that name.
const FuzzTarget* find_fuzz_target(std::string_view name);

// drill_feeds.cpp
void feed_scenario(std::string_view input);
void feed_postgres_log(std::string_view input);
void feed_report(std::string_view input);

// primary_feeds.cpp
void feed_fingerprint(std::string_view input);
void feed_patroni(std::string_view input);
void feed_waldump(std::string_view input);

// repository_feeds.cpp
void feed_pgbackrest_info(std::string_view input);
void feed_archive_listing(std::string_view input);
void feed_pgbackrest_output(std::string_view input);

// tool_feeds.cpp
void feed_postgres_tools(std::string_view input);

}  // namespace pgrehearse
