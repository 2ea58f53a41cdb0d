// Work on a laboratory's primary that goes on until it is stopped: pgbench, alone or together with
// everything that makes an exact comparison hard.
#pragma once

#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "harness/laboratory/laboratory.hpp"

namespace pgrehearse {

struct LoadOptions {
  std::string kind = "pgbench";  // or "mixed"
  int clients = 8;
  int scale = 5;
};

class Load {
 public:
  // Makes what the work needs. All references outlive this object.
  Load(Laboratory& laboratory, CommandRunner& runner, const LoadOptions& options);
  ~Load() = default;
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void start();
  // Returns what ended by itself, which it should not: with its words.
  std::string stop();

 private:
  void run(const std::string& script, int clients);

  Laboratory& laboratory_;
  CommandRunner& runner_;
  LoadOptions options_;
  std::mutex mutex_;
  std::string failures_;
  std::vector<std::jthread> threads_;
};

}  // namespace pgrehearse
