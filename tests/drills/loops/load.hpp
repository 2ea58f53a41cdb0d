// Continuous load on a laboratory's primary: pgbench, alone or with everything that makes an exact
// comparison difficult.
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
  // Creates the tables that the load needs. All references outlive this object.
  Load(Laboratory& laboratory, CommandRunner& runner, const LoadOptions& options);
  ~Load() = default;
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void start();
  // Returns the clients that ended by themselves, which is an error, with their output.
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
