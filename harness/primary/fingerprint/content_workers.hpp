// Distributes relations over several connections, largest first, small ones in batches.
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
  // Opens a connection for reading.
  std::function<Connection(std::stop_token stop)> connect;
  // Reads one batch. Called from several threads, each with a connection of its own.
  std::function<void(Connection& connection, std::span<RelationContent> batch)> read;
  // Relations that were not read, and why: a connection was lost or could not be opened. Never
  // called concurrently.
  std::function<void(std::span<RelationContent> batch, const Error& error)> give_up;
  // Never called concurrently.
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
};

// Returns when every relation was read or passed to `give_up`; on a stop request the rest is passed
// with Error(interrupted). `relations` must be ordered by pages, largest first.
void read_in_parallel(std::span<RelationContent> relations, const ContentWork& work,
                      const std::stop_token& stop);

}  // namespace pgrehearse
