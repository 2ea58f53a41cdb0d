#include "harness/drill/recovery/wal_supply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>

#include "harness/common/text.hpp"
#include "harness/sandbox/instance.hpp"

namespace pgrehearse {

namespace {

// PostgreSQL requests a segment this often in a row only when it cannot read what it received.
constexpr std::size_t unreadable_after = 5;
// One round of requests asks for a segment of every timeline.
constexpr std::size_t newest_requests = 512;
constexpr std::size_t timeline_digits = 8;

bool is_segment(std::string_view file) {
  return file.size() == 24 && file.find('.') == std::string_view::npos;
}

}  // namespace

std::string shell_quoted(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::vector<WalRequest> parse_wal_requests(std::string_view text) {
  std::vector<WalRequest> requests;
  for (const auto line : lines_of(text)) {
    const auto fields = split(line, ' ');
    int code = 0;
    if (fields.size() != 2) continue;
    std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), code);
    requests.push_back({.file = std::string(fields[0]), .exit_code = code});
  }
  return requests;
}

std::optional<ReplayEnd> replay_end(const std::vector<WalRequest>& requests) {
  std::string reached;                         // the last segment, without its timeline
  std::map<std::string, std::size_t> fetched;  // since then: a damaged record may span two files
  std::vector<std::string> missed;             // since the last fetch
  std::optional<std::string> missing;
  const auto skipped = requests.size() - std::min(requests.size(), newest_requests);
  for (auto request = requests.begin() + static_cast<std::ptrdiff_t>(skipped);
       request != requests.end(); ++request) {
    const auto& [file, exit_code] = *request;
    if (!is_segment(file)) continue;
    const auto number = file.substr(timeline_digits);
    if (exit_code == 1) {
      const bool again = std::find(missed.begin(), missed.end(), file) != missed.end();
      if (again) missing = file;
      if (!again) missed.push_back(file);
      continue;
    }
    missed.clear();
    missing.reset();
    if (exit_code != 0) continue;
    if (number > reached) fetched.clear();
    reached = std::max(reached, number);
    ++fetched[file];
  }
  if (missing) return ReplayEnd{.segment = *missing};
  for (auto newest = fetched.rbegin(); newest != fetched.rend(); ++newest) {
    if (newest->second < unreadable_after) continue;
    return ReplayEnd{.segment = newest->first, .unreadable = true};
  }
  return {};
}

WalSupplyFiles wal_supply_files(const SandboxPaths& paths) {
  return {.requests = paths.wal / "requests",
          .closed = closed_archive_marker(paths),
          .limit = paths.wal / "limit",
          .given = paths.wal / "given",
          .whole = paths.wal / "whole",
          .absent = paths.wal / "absent"};
}

std::string archive_get_wrapper(const ArchiveGet& archive_get, const WalSupplyFiles& files) {
  const auto command = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    std::transform(arguments.begin(), arguments.end(), std::back_inserter(words), shell_quoted);
    return join(words, " ") + " \"$1\" \"$2\"";
  };
  return fmt::format(
      R"sh(# restore_command: $1 is the WAL file's name, $2 its destination. An exit code above 1 means
# that the repository failed: PostgreSQL must stop (126), not treat it as the end of the archive.
[ ! -e {closed} ] || exit 1
# To pause at a position, no WAL is provided from there on: the segment is truncated there and
# filled with zeros, once. The timeline, the first eight digits, is ignored. The whole segment is
# held for the next position in it.
segment=${{1#????????}}
limit='' offset='' size='' given=''
[ ! -s {limit} ] || read -r limit offset size < {limit}
if [ -n "$limit" ]; then
  case "$1" in
    *.history)
      # All WAL before the position is at hand: no need to look for new timelines again.
      for held in {whole}.*"$limit"; do
        [ ! -e "$held" ] || [ ! -e {absent}."$1" ] || exit 1
      done ;;
    *.*) ;;
    *)
      [ ! "$segment" \> "$limit" ] || exit 1
      [ ! -s {given} ] || read -r given < {given}
      if [ "$segment" = "$limit" ] && [ "$given" = "$limit $offset" ]; then exit 1; fi ;;
  esac
fi
code=0
if [ ! -e {whole}."$1" ]; then
  {ahead}
  code=$?
  # On a busy host the prefetch processes time out (82) or conflict with each other (55). Only a
  # direct request shows what the repository has.
  case "$code" in 55 | 82) {single}; code=$? ;; esac
elif [ "$segment" != "$limit" ]; then
  mv {whole}."$1" "$2" || code=126
fi
echo "$1 $code" >> {requests}
[ "$code" -le 1 ] || exit 126
case "$1 $code" in *.history\ 1) : > {absent}."$1" ;; esac
if [ "$code" = 0 ] && [ "$segment" = "$limit" ]; then
  if [ ! -e {whole}."$1" ]; then
    rm -f {whole}.*
    mv "$2" {whole}.new && mv {whole}.new {whole}."$1" || exit 126
  fi
  head -c "$offset" {whole}."$1" > "$2" && truncate -s "$size" "$2" || exit 126
  echo "$limit $offset" > {given}
fi
exit "$code"
)sh",
      fmt::arg("closed", shell_quoted(files.closed)), fmt::arg("limit", shell_quoted(files.limit)),
      fmt::arg("given", shell_quoted(files.given)), fmt::arg("whole", shell_quoted(files.whole)),
      fmt::arg("absent", shell_quoted(files.absent)), fmt::arg("ahead", command(archive_get.ahead)),
      fmt::arg("single", command(archive_get.single)),
      fmt::arg("requests", shell_quoted(files.requests)));
}

std::string wal_limit(Lsn until, std::uint64_t segment_size) {
  const auto segment = segment_at(0, until, segment_size);
  return fmt::format("{} {} {}\n", file_name(segment, segment_size).substr(timeline_digits),
                     until.value % segment_size, segment_size);
}

bool is_at(Lsn replayed, Lsn position) {
  constexpr std::uint64_t page = 8192;
  constexpr std::uint64_t longest_header = 40;
  if (replayed == position) return true;
  const auto into_page = position.value % page;
  return into_page <= longest_header && replayed.value == position.value - into_page;
}

}  // namespace pgrehearse
