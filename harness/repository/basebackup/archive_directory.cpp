#include "harness/repository/basebackup/archive_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "harness/common/error.hpp"
#include "harness/process/command.hpp"
#include "harness/sandbox/sandbox_files.hpp"

namespace pgrehearse {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t segment_length = 24;
constexpr auto compressions =
    std::to_array<std::string_view>({".gz", ".lz4", ".zst", ".bz2", ".xz"});

bool is_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

bool is_segment(std::string_view name) { return name.size() == segment_length && is_hex(name); }

bool is_history(std::string_view name) {
  return name.size() == 16 && is_hex(name.substr(0, 8)) && name.substr(8) == ".history";
}

// "000000010000000000000002.00000028.backup"
bool is_backup_history(std::string_view name) {
  return name.size() == 40 && is_hex(name.substr(0, segment_length)) &&
         name[segment_length] == '.' && is_hex(name.substr(segment_length + 1, 8)) &&
         name.ends_with(".backup");
}

void classify(const fs::directory_entry& entry, ArchiveFiles& into) {
  const auto file = entry.path().filename().native();
  const auto name = file.substr(0, file.size() - compression_of(file).size());
  std::error_code gone;
  const ArchiveFiles::File found{.path = entry.path(), .size = {entry.file_size(gone)}};
  if (gone) return;  // removed meanwhile
  if (is_segment(name)) {
    // Without an extension it sorts first: a file that is being compressed is there twice.
    const auto [known, added] = into.segments.try_emplace(name, found);
    if (!added && found.path < known->second.path) known->second = found;
  } else if (is_history(name)) {
    into.histories.try_emplace(name, found);
  } else if (is_backup_history(name)) {
    into.backups.try_emplace(name, found);
  } else if (!name.ends_with(".partial")) {
    into.unrecognized.push_back(file);
  }
}

// $1: archive, $2: incoming files or nothing, $3: restore_command or nothing, $4: WAL file, $5:
// destination. 1: not in the archive.
constexpr std::string_view script = R"sh(archive=$1 incoming=$2 command=$3 file=$4 destination=$5
[ -d "$archive" ] && [ -x "$archive" ] || { echo "cannot read the archive $archive" >&2; exit 3; }
found=
for directory in "$archive" "$archive/${file%????????}" "${incoming:-$archive}"; do
  for extension in '' .gz .lz4 .zst .bz2 .xz; do
    if [ -e "$directory/$file$extension" ]; then found=$directory/$file$extension; break 2; fi
  done
done
fail() {
  echo "ERROR: [archive-get]: $*" | tr '\n' ' ' >&2
  echo >&2
  exit 3
}
if [ -n "$command" ]; then
  problem=$(sh -c "$command" restore_command "$file" "$destination" 2>&1) &&
    [ -e "$destination" ] && exit 0
  [ -n "$found" ] || exit 1
  fail "restore_command did not return $file, which is in the archive: $problem"
fi
[ -n "$found" ] || exit 1
unpack=
case "$(od -An -tx1 -N4 "$found" | tr -d ' ')" in
  1f8b*) unpack='gzip -dc' ;;
  04224d18) unpack='lz4 -dcq' ;;
  28b52ffd) unpack='zstd -dcq' ;;
  425a68*) unpack='bzip2 -dc' ;;
  fd377a58) unpack='xz -dc' ;;
esac
done=read
[ -z "$unpack" ] || done=decompressed
problem=$(${unpack:-cat} < "$found" 2>&1 > "$destination") && exit 0
rm -f "$destination"
fail "$found cannot be $done: $problem"
)sh";

// PostgreSQL's %f, %p and %% for a script with the file and the destination as $1 and $2.
std::string with_parameters(const std::string& restore_command) {
  std::string text;
  for (std::size_t at = 0; at < restore_command.size(); ++at) {
    const char next = at + 1 < restore_command.size() ? restore_command[at + 1] : '\0';
    if (restore_command[at] == '%' && (next == 'f' || next == 'p' || next == '%')) {
      text += next == 'f' ? "\"$1\"" : next == 'p' ? "\"$2\"" : "%";
      ++at;
    } else {
      text += restore_command[at];
    }
  }
  // "%p" in quotes must stay one word.
  for (const std::string_view word : {"\"$1\"", "\"$2\""}) {
    const auto quoted = fmt::format("\"{}\"", word);
    for (auto at = text.find(quoted); at != std::string::npos; at = text.find(quoted)) {
      text.replace(at, quoted.size(), word);
    }
  }
  return text;
}

std::string read_archived(const fs::path& file, CommandRunner& runner, const Account& account,
                          const std::stop_token& stop) {
  auto text = read_file_of(account, file);
  const auto extension = compression_by_content(text);
  if (extension.empty()) return text;
  auto words = decompression(extension);
  words.push_back(file);
  const auto result = runner.run({.program = words.front(),
                                  .arguments = {words.begin() + 1, words.end()},
                                  .account = account,
                                  .timeout = std::chrono::minutes(5)},
                                 stop);
  throw_if_cancelled(result);
  if (result.succeeded()) return result.output;
  throw Error(ErrorKind::repository,
              fmt::format("{} cannot be decompressed", file.filename().native()), {},
              FindingCode::repo_damaged, file.filename());
}

}  // namespace

std::string compression_of(const fs::path& file) {
  const auto extension = file.extension().native();
  return std::ranges::find(compressions, extension) == compressions.end() ? std::string()
                                                                          : extension;
}

std::string compression_by_content(std::string_view first_bytes) {
  struct Magic {
    std::string_view bytes;
    const char* extension;
  };
  for (const auto& magic :
       {Magic{"\x1f\x8b", ".gz"}, Magic{"BZh", ".bz2"}, Magic{"\x28\xb5\x2f\xfd", ".zst"},
        Magic{"\x04\x22\x4d\x18", ".lz4"}, Magic{"\xfd\x37\x7a\x58", ".xz"}}) {
    if (first_bytes.starts_with(magic.bytes)) return magic.extension;
  }
  return {};
}

std::vector<std::string> decompression(const std::string& extension) {
  if (extension == ".gz") return {"gzip", "-dc"};
  if (extension == ".lz4") return {"lz4", "-dcq"};
  if (extension == ".zst") return {"zstd", "-dcq"};
  if (extension == ".bz2") return {"bzip2", "-dc"};
  if (extension == ".xz") return {"xz", "-dc"};
  return {"cat"};
}

std::map<Timeline, std::vector<TimelineSwitch>> read_histories(const ArchiveFiles& files,
                                                               CommandRunner& runner,
                                                               const Account& account,
                                                               const std::stop_token& stop) {
  std::map<Timeline, std::vector<TimelineSwitch>> histories;
  for (const auto& [name, file] : files.histories) {
    const auto text = read_archived(file.path, runner, account, stop);
    try {
      const auto timeline = static_cast<Timeline>(std::stoul(name.substr(0, 8), nullptr, 16));
      histories[timeline] = parse_timeline_history(text);
    } catch (const Error& error) {
      throw Error(error.kind(), fmt::format("{}: {}", name, error.what()), error.hint(),
                  error.code(), name);
    }
  }
  return histories;
}

ArchiveFiles list_archive_directory(const fs::path& directory) {
  ArchiveFiles files;
  std::error_code failure;
  fs::recursive_directory_iterator entry(directory, failure);
  for (const fs::recursive_directory_iterator end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code gone;
    if (entry->is_regular_file(gone)) classify(*entry, files);
  }
  // Part of a listing would make the archive look as if it ended earlier.
  if (failure) {
    throw Error(
        ErrorKind::environment,
        fmt::format("cannot read the WAL archive {}: {}", directory.native(), failure.message()),
        "correct repository.archive, or give the account of the drill read permission",
        failure == std::errc::permission_denied ? FindingCode::env_permission
                                                : FindingCode::env_file,
        directory);
  }
  std::ranges::sort(files.unrecognized);
  return files;
}

ArchiveListing listing_of(const ArchiveFiles& files, std::uint64_t segment_size) {
  ArchiveListing listing{.id = "archive", .segment_size = segment_size};
  for (const auto& [name, file] : files.segments) {
    const auto segment = parse_wal_segment(name, segment_size);
    if (!segment) {
      listing.unrecognized.push_back(name);
      continue;
    }
    listing.segments.push_back(
        {.segment = *segment, .file = file.path.filename(), .size = file.size});
  }
  std::ranges::sort(listing.segments, {},
                    [](const auto& file) { return std::tie(file.segment, file.file); });
  listing.unrecognized.insert(listing.unrecognized.end(), files.unrecognized.begin(),
                              files.unrecognized.end());
  return listing;
}

std::vector<std::string> fetch_from_directory(const fs::path& archive,
                                              const std::string& restore_command,
                                              const fs::path& incoming) {
  return {"sh",
          "-c",
          std::string(script),
          "archive-get",
          archive.native(),
          incoming.native(),
          restore_command.empty() ? std::string() : with_parameters(restore_command)};
}

}  // namespace pgrehearse
