// What drills on this host have created, in `<state>/sandboxes`: one file per sandbox, written
// before the sandbox is created and removed after it. Its owner holds a lock on the file: an
// unlocked file is a leftover. Only the harness can write here, not the account that runs the
// instance.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgrehearse {

// RegistryEntry::type of a laboratory: registered and removed like a local sandbox.
inline constexpr std::string_view laboratory_type = "laboratory";

// Everything needed to remove a sandbox whose owner has ended.
struct RegistryEntry {
  std::string run_id;
  std::string type;      // "local", ..., laboratory_type
  std::string scenario;  // shown to users
  std::string created;   // ISO 8601
  std::string host;
  std::string boot_id;  // of the kernel; stays the same if the host is renamed
  std::string account;
  std::string engine;  // address of the container engine or cluster; empty: none
  std::filesystem::path root;
  std::filesystem::path sockets;  // if outside the root, else empty
  bool kept = false;
  std::string expires = {};  // ISO 8601: when a kept sandbox may be removed; empty: never
};

std::string to_json(const RegistryEntry& entry);
// nullopt if it is not an entry of this schema ("pgrehearse.sandbox/1").
std::optional<RegistryEntry> entry_from_json(std::string_view text);

// An entry whose lock this process holds.
class OwnedEntry {
 public:
  OwnedEntry(OwnedEntry&& other) noexcept
      : file_(std::move(other.file_)), fd_(std::exchange(other.fd_, -1)) {}
  OwnedEntry& operator=(OwnedEntry&&) = delete;
  OwnedEntry(const OwnedEntry&) = delete;
  OwnedEntry& operator=(const OwnedEntry&) = delete;
  // Releases the lock; does not remove the file.
  ~OwnedEntry();

  // Replaces the content atomically and keeps the lock. Throws Error(environment).
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
  // `state`: the state directory; created when it is first needed.
  explicit Registry(const std::filesystem::path& state);

  // Throws Error(environment), also if the run id is in use, or if root cannot trust the directory.
  OwnedEntry publish(const RegistryEntry& entry) const;

  struct Listed {
    RegistryEntry entry;
    bool alive = false;  // its owner holds the lock
  };
  // Entries of this host, by run id. Ignores entries of other hosts in a shared directory.
  [[nodiscard]] std::vector<Listed> list() const;

  // Takes the lock of an owner that has ended. nullopt: there is no entry, or its lock is held.
  [[nodiscard]] std::optional<OwnedEntry> take(const std::string& run_id) const;
  [[nodiscard]] std::optional<RegistryEntry> find(const std::string& run_id) const;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

 private:
  void remove_unfinished() const;

  std::filesystem::path directory_;
};

// Value of the field of that name for this host.
std::string boot_id();

}  // namespace pgrehearse
