// Looks for a secret wherever a drill could leak it, while it runs and afterwards.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace pgrehearse {

class SecretSearch {
 public:
  // From now on: the arguments of every process of this host, and the environment of every
  // PostgreSQL server whose files are below `state`. An empty secret is never found.
  SecretSearch(std::string secret, std::filesystem::path state);
  SecretSearch(const SecretSearch&) = delete;
  SecretSearch& operator=(const SecretSearch&) = delete;
  ~SecretSearch() = default;

  // Ends the search, and reads every file below `state`. Where the secret was found.
  std::vector<std::string> found();
  // How many servers' environments were read.
  [[nodiscard]] std::size_t servers_seen() const { return servers_.size(); }

 private:
  void look();

  std::string secret_;
  std::filesystem::path state_;
  std::set<std::string> found_;
  std::set<std::string> servers_;
  std::jthread thread_;
};

}  // namespace pgrehearse
