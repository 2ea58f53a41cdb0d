#include "harness/faults/repository_copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/common/throw_if_stopped.hpp"
#include "harness/process/acting_account.hpp"
#include "harness/process/descriptor.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail_copy(const fs::path& path, const char* what, int error) {
  const bool vanished = error == ENOENT;
  throw Error(
      ErrorKind::environment,
      fmt::format("cannot {} {}: {}", what, path.native(), std::generic_category().message(error)),
      vanished ? "if a backup or expire ran at the same time, try again"
               : "give the account that runs the drills read permission on the repository",
      vanished ? FindingCode::none : FindingCode::env_permission, path.native());
}

Descriptor open_file(const fs::path& path, int flags, const char* what) {
  Descriptor file(open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) fail_copy(path, what, errno);
  return file;
}

void copy_with_buffer(const Descriptor& in, const Descriptor& out, const fs::path& from,
                      const fs::path& to) {
  std::array<char, 1 << 18> buffer{};
  while (true) {
    const auto read_bytes = read(in.get(), buffer.data(), buffer.size());
    if (read_bytes == 0) return;
    if (read_bytes < 0) fail_copy(from, "read", errno);
    for (ssize_t done = 0; done < read_bytes;) {
      const auto wrote =
          write(out.get(), buffer.data() + done, static_cast<std::size_t>(read_bytes - done));
      if (wrote < 0) fail_copy(to, "write", errno);
      done += wrote;
    }
  }
}

void copy_file(const fs::path& from, const fs::path& to, const std::stop_token& stop) {
  const auto in = open_file(from, O_RDONLY, "read");
  const auto out = open_file(to, O_WRONLY | O_CREAT | O_EXCL, "write");
  constexpr std::size_t step = std::size_t{64} << 20U;
  // Shares blocks if the file system can; this does not change the original.
  std::uint64_t done = 0;
  while (!stop.stop_requested()) {
    const auto copied = copy_file_range(in.get(), nullptr, out.get(), nullptr, step, 0);
    if (copied > 0) {
      done += static_cast<std::uint64_t>(copied);
      continue;
    }
    if (copied == 0 && done > 0) return;
    if (done > 0 || errno == ENOSPC) fail_copy(to, "copy to", errno);
    copy_with_buffer(in, out, from, to);
    return;
  }
}

// Calls `take` for every regular file below.
template <typename Take>
void for_each_file(const fs::path& top, Take take) {
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(top, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    if (entry->is_regular_file() && !entry->is_symlink()) take(*entry);
  }
  if (failure) fail_copy(top, "read", failure.value());
}

// Whether a segment ("000000010000000000000005-...", also ".00000028.backup" or ".partial") is
// `first` or a later one, on any timeline.
bool is_at_or_after(const std::string& name, const std::string& first) {
  constexpr std::size_t timeline_length = 8;
  constexpr std::size_t name_length = 24;
  return name.size() >= name_length &&
         name.substr(timeline_length, name_length - timeline_length) >=
             first.substr(timeline_length);
}

}  // namespace

std::vector<FileToCopy> files_to_copy(const CopyOrder& order) {
  const ActingAccount acting(order.account);
  std::vector<FileToCopy> files;
  const auto take = [&](const fs::directory_entry& entry) {
    files.push_back({entry.path().lexically_relative(order.from), entry.file_size()});
  };
  const auto backups = order.from / "backup" / order.stanza;
  const auto archive = order.from / "archive" / order.stanza;
  for (const auto& record : {backups / "backup.info", archive / "archive.info"}) {
    for (const auto* copy : {"", ".copy"}) {
      const fs::directory_entry entry(fs::path(record) += copy);
      if (entry.exists()) take(entry);
    }
  }
  for (const auto& label : order.chain) for_each_file(backups / label, take);
  for_each_file(archive / order.archive, [&](const fs::directory_entry& entry) {
    const auto name = entry.path().filename().native();
    if (name.ends_with(".history") || is_at_or_after(name, order.first_segment)) take(entry);
  });
  return files;
}

void copy_repository(const CopyOrder& order, const std::vector<FileToCopy>& files,
                     const std::stop_token& stop) {
  const ActingAccount acting(order.account);
  for (const auto& file : files) {
    throw_if_stopped(stop);
    const auto to = order.to / file.path;
    std::error_code failure;
    fs::create_directories(to.parent_path(), failure);
    if (failure) fail_copy(to.parent_path(), "make", failure.value());
    copy_file(order.from / file.path, to, stop);
  }
  fs::create_directory_symlink(order.chain.back(), order.to / "backup" / order.stanza / "latest");
}

}  // namespace pgrehearse
