// Spreads relations over several connections, biggest first, small ones in batches.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "harness/postgres/connection.hpp"
#include "harness/primary/fingerprint/fingerprint.hpp"

namespace pgrehearse {

struct ContentWork {
  std::size_t connections = 2;
  // A connection that is ready for reading.
  std::function<Connection(std::stop_token stop)> connect;
  // Reads one batch. Called from several threads, each with a connection of its own.
  std::function<void(Connection& connection, std::span<RelationContent> batch)> read;
  // Relations that nobody read, and why: a connection was lost, or none could be made. One at a
  // time.
  std::function<void(std::span<RelationContent> batch, const Error& error)> give_up;
  // One at a time.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
};

// Returns when every relation was read or given up. On a stop request the rest is given up with
// Error(interrupted). `relations` must be ordered by pages, most first.
void read_in_parallel(std::span<RelationContent> relations, const ContentWork& work,
                      const std::stop_token& stop);

}  // namespace pgrehearse
