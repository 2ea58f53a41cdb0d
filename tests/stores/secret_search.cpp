#include "tests/stores/secret_search.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& file) {
  // The file of a process that ends fails to be read; operator<< does not throw.
  const std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

bool is_process(const fs::path& directory) {
  const auto name = directory.filename().native();
  return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

SecretSearch::SecretSearch(std::string secret, fs::path state)
    : secret_(std::move(secret)), state_(std::move(state)) {
  if (secret_.empty()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      look();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  });
}

void SecretSearch::look() {
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator("/proc", gone)) {
    if (!is_process(entry.path())) continue;
    const auto arguments = read(entry.path() / "cmdline");
    if (arguments.find(secret_) != std::string::npos) {
      found_.insert("arguments: " + arguments.substr(0, arguments.find('\0')));
    }
    const bool server = arguments.substr(0, arguments.find('\0')).ends_with("/postgres") &&
                        arguments.find(state_.native()) != std::string::npos;
    if (!server) continue;
    const auto environment = read(entry.path() / "environ");
    if (!environment.empty()) servers_.insert(entry.path().filename().native());
    if (environment.find(secret_) != std::string::npos) {
      found_.insert("environment of " + entry.path().filename().native());
    }
  }
}

std::vector<std::string> SecretSearch::found() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
    for (const auto& entry : fs::recursive_directory_iterator(state_)) {
      if (entry.is_regular_file() && read(entry.path()).find(secret_) != std::string::npos) {
        found_.insert(entry.path().native());
      }
    }
  }
  return {found_.begin(), found_.end()};
}

}  // namespace pgrehearse
