// What this host's drills have made, in `<state>/sandboxes`: one file a sandbox, written before the
// sandbox is made and removed after it is gone. The file is also the lock of its owner: whoever can
// take it has found a leftover. Only the harness writes here, never the account that runs the copy.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgrehearse {

// RegistryEntry::type of a laboratory: registered and removed like a local sandbox, made elsewhere.
inline constexpr std::string_view laboratory_type = "laboratory";

// Everything that is needed to remove a sandbox whose owner is dead.
struct RegistryEntry {
  std::string run_id;
  std::string type;      // "local", ..., laboratory_type
  std::string scenario;  // for people
  std::string created;   // ISO 8601
  std::string host;
  std::string boot_id;  // of the kernel: the same on a host that has changed its name
  std::string account;
  std::string engine;  // address of the container engine; empty: none is involved
  std::filesystem::path root;
  std::filesystem::path sockets;  // when it lies outside the root; else empty
  bool kept = false;
};

std::string to_json(const RegistryEntry& entry);
// nullopt when it is no entry of this schema ("pgrehearse.sandbox/1").
std::optional<RegistryEntry> entry_from_json(std::string_view text);

// An entry whose lock this process holds.
class OwnedEntry {
 public:
  OwnedEntry(OwnedEntry&& other) noexcept
      : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}
  OwnedEntry& operator=(OwnedEntry&&) = delete;
  OwnedEntry(const OwnedEntry&) = delete;
  OwnedEntry& operator=(const OwnedEntry&) = delete;
  // Releases the lock and leaves the file.
  ~OwnedEntry();

  // Replaces the content at once; the lock is held throughout. Throws Error(environment).
  void write(const RegistryEntry& entry);
  // Removes the file and releases the lock.
  void remove();

 private:
  friend class Registry;
  OwnedEntry(std::filesystem::path file, int fd) : file_(std::move(file)), fd_(fd) {}

  std::filesystem::path file_;
  int fd_;
};

class Registry {
 public:
  // `state`: the harness's state directory; made when it is first needed.
  explicit Registry(const std::filesystem::path& state);

  // Throws Error(environment), also when the run id is taken.
  OwnedEntry publish(const RegistryEntry& entry) const;

  struct Listed {
    RegistryEntry entry;
    bool alive = false;  // somebody holds the lock
  };
  // Entries of this host, by run id. Entries of another host in a shared directory are its own.
  [[nodiscard]] std::vector<Listed> list() const;

  // Takes the lock of a dead owner. nullopt when the entry is gone or somebody holds it.
  [[nodiscard]] std::optional<OwnedEntry> take(const std::string& run_id) const;
  [[nodiscard]] std::optional<RegistryEntry> find(const std::string& run_id) const;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  void remove_unfinished() const;

  std::filesystem::path directory_;
};

// This host, for the fields of that name.
std::string host_name();
std::string boot_id();

}  // namespace pgrehearse
