// The protocol between the harness and the agent in a virtual machine or a container. Both come
// from the same build, so numbers are in host byte order and there is no version.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse::agent {

// Names of the virtio port, and of the settings and files in QEMU's firmware configuration.
inline constexpr std::string_view port_name = "org.pgrehearse.agent";
inline constexpr std::string_view settings_name = "opt/org.pgrehearse/settings";
inline constexpr std::string_view file_name_prefix = "opt/org.pgrehearse/file";

// As Request::program: runs one of the agent's own tools, see tools.hpp.
inline constexpr std::string_view self_path = "/proc/self/exe";

// One message of a session; a session runs one command. The harness sends a request, then any
// number of signals; the agent sends output, then `ended` or `not_started`.
enum class Message : std::uint8_t {
  request = 1,      // strings: see Request
  signal = 2,       // a number
  output = 3,       // bytes
  error = 4,        // bytes
  ended = 5,        // two numbers: exit code or -1, signal or 0
  not_started = 6,  // a number: errno
};

struct Request {
  std::string program;  // a path, or a name that is looked up in PATH of `environment`
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value
  std::string directory = "/";
  std::string input;  // standard input
};

inline void append_number(std::string& text, std::uint32_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

inline std::string message(Message type, std::string_view payload) {
  std::string text(1, static_cast<char>(type));
  append_number(text, static_cast<std::uint32_t>(payload.size()));
  return text.append(payload);
}

inline std::string numbers(std::int32_t first, std::int32_t second = 0) {
  std::string text;
  append_number(text, static_cast<std::uint32_t>(first));
  append_number(text, static_cast<std::uint32_t>(second));
  return text;
}

// Reads numbers and strings from a payload; a missing value is 0 or empty.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::uint32_t number() {
    std::uint32_t value = 0;
    if (text_.size() < sizeof(value)) {
      text_ = {};
      return 0;
    }
    std::memcpy(&value, text_.data(), sizeof(value));
    text_.remove_prefix(sizeof(value));
    return value;
  }
  std::string string() {
    const std::size_t size = number();
    const auto part = text_.substr(0, size);
    text_.remove_prefix(part.size());
    return std::string(part);
  }
  std::vector<std::string> strings() {
    std::vector<std::string> all;
    for (auto count = number(); count > 0 && !text_.empty(); --count) all.push_back(string());
    return all;
  }

 private:
  std::string_view text_;
};

inline void append_string(std::string& text, std::string_view part) {
  append_number(text, static_cast<std::uint32_t>(part.size()));
  text.append(part);
}

inline void append_strings(std::string& text, const std::vector<std::string>& parts) {
  append_number(text, static_cast<std::uint32_t>(parts.size()));
  for (const auto& part : parts) append_string(text, part);
}

inline std::string to_bytes(const Request& request) {
  std::string text;
  append_string(text, request.program);
  append_strings(text, request.arguments);
  append_strings(text, request.environment);
  append_string(text, request.directory);
  append_string(text, request.input);
  return text;
}

inline Request request_from(std::string_view bytes) {
  Reader reader(bytes);
  Request request;
  request.program = reader.string();
  request.arguments = reader.strings();
  request.environment = reader.strings();
  request.directory = reader.string();
  request.input = reader.string();
  return request;
}

// Settings of the virtual machine, as pairs of key and value:
//   root, sockets      directories of the sandbox
//   directory          to create below root, private; in order; repeated
//   uid, gid, group    of the account that everything runs as; `group` is repeated
//   share              mount tag, followed by `at`, the mount point
//   file               number, followed by `at`, `mode`, `owner`, `owner_group`
//   passwd, group_file contents of /etc/passwd and /etc/group
//   lifetime           seconds until the virtual machine shuts itself down
using Settings = std::vector<std::pair<std::string, std::string>>;

inline std::string to_bytes(const Settings& settings) {
  std::string text;
  for (const auto& [key, value] : settings) {
    append_string(text, key);
    append_string(text, value);
  }
  return text;
}

// Splits a byte stream into messages.
class Messages {
 public:
  void take(std::string_view bytes) { text_.append(bytes); }
  // Bytes of an incomplete message.
  [[nodiscard]] std::size_t waiting() const { return text_.size(); }
  // False when no complete message has arrived.
  bool next(Message& type, std::string& payload) {
    constexpr std::size_t header = 1 + sizeof(std::uint32_t);
    if (text_.size() < header) return false;
    const std::size_t size = Reader(std::string_view(text_).substr(1)).number();
    if (text_.size() < header + size) return false;
    type = static_cast<Message>(text_[0]);
    payload = text_.substr(header, size);
    text_.erase(0, header + size);
    return true;
  }

 private:
  std::string text_;
};

}  // namespace pgrehearse::agent
