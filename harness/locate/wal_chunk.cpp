#include "harness/locate/wal_chunk.hpp"

#include <algorithm>
#include <set>

#include "harness/common/text.hpp"
#include "harness/postgres/commit_records.hpp"

namespace pgrehearse {

namespace {

constexpr std::uint32_t default_tablespace = 1663;
constexpr std::uint32_t global_tablespace = 1664;
constexpr std::string_view record_label = "rmgr: ";
constexpr std::string_view description_label = ", desc: ";

// The text after `label`, up to `end`; empty without the label.
std::string_view after(std::string_view text, std::string_view label, char end) {
  const auto at = text.find(label);
  if (at == std::string_view::npos) return {};
  const auto rest = text.substr(at + label.size());
  return rest.substr(0, rest.find(end));
}

bool only_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The words of "; <label>: a b c".
std::vector<std::string_view> words_after(std::string_view text, std::string_view label) {
  auto words = split(trim(after(text, label, ';')), ' ');
  std::erase(words, "");
  return words;
}

CommitDetails details_of(std::string_view description) {
  CommitDetails details;
  for (const auto path : words_after(description, "; rels:")) {
    if (const auto file = parse_file_path(path)) details.dropped.push_back(*file);
  }
  for (const auto xid : words_after(description, "; subxacts:")) {
    details.subtransactions.push_back(number_of<std::uint32_t>(xid));
  }
  for (const auto item : words_after(description, "dropped stats:")) {
    const auto parts = split(item, '/');
    constexpr std::string_view relation_kind = "2";
    if (parts.size() == 3 && parts[0] == relation_kind) {
      details.dropped_statistics.push_back(number_of<std::uint32_t>(parts[2]));
    }
  }
  const auto messages = words_after(description, "; inval msgs:");
  for (std::size_t i = 0; i + 1 < messages.size(); ++i) {
    if (messages[i] != "relcache") continue;
    details.invalidated.push_back(number_of<std::uint32_t>(messages[i + 1]));
  }
  return details;
}

// The file number of "blkref #0: rel 1663/16384/16390 blk 0"; 0 if it is of another database.
std::uint32_t first_file(std::string_view description, std::uint32_t database) {
  const auto parts = split(after(description, "rel ", ' '), '/');
  if (parts.size() != 3 || number_of<std::uint32_t>(parts[1]) != database) return 0;
  return number_of<std::uint32_t>(parts[2]);
}

// "MULTI_INSERT+INIT 61 tuples", "MULTI_INSERT ntuples: 61"
std::uint64_t inserted_rows(std::string_view description) {
  const auto digit = description.find_first_of("0123456789");
  return digit == std::string_view::npos ? 1 : number_of<std::uint64_t>(description.substr(digit));
}

RecordCounts counts_of(std::string_view description) {
  if (description.starts_with("MULTI_INSERT")) return {.inserted = inserted_rows(description)};
  if (description.starts_with("INSERT")) return {.inserted = 1};
  if (description.starts_with("DELETE")) return {.deleted = 1};
  if (description.starts_with("UPDATE")) return {.updated = 1};
  if (description.starts_with("HOT_UPDATE")) return {.updated = 1};
  if (description.starts_with("LOCK")) return {.locked = 1};
  return {};
}

}  // namespace

RecordCounts& RecordCounts::operator+=(const RecordCounts& other) {
  inserted += other.inserted;
  updated += other.updated;
  deleted += other.deleted;
  locked += other.locked;
  return *this;
}

std::optional<FileNode> parse_file_path(std::string_view path) {
  const auto parts = split(path, '/');
  if (parts.size() < 2 || !only_digits(parts.back())) return {};
  FileNode file{.number = number_of<std::uint32_t>(parts.back())};
  if (parts[0] == "global" && parts.size() == 2) {
    file.tablespace = global_tablespace;
    return file;
  }
  const bool base = parts[0] == "base" && parts.size() == 3;
  const bool other = parts[0] == "pg_tblspc" && parts.size() == 5 && only_digits(parts[1]);
  if ((!base && !other) || !only_digits(parts[parts.size() - 2])) return {};
  file.tablespace = base ? default_tablespace : number_of<std::uint32_t>(parts[1]);
  file.database = number_of<std::uint32_t>(parts[parts.size() - 2]);
  return file;
}

Lsn end_of_record(Lsn lsn, std::uint64_t length, std::uint64_t segment_size) {
  constexpr std::uint64_t page = 8192;
  constexpr std::uint64_t short_header = 24;
  constexpr std::uint64_t long_header = 40;
  constexpr std::uint64_t alignment = 8;
  constexpr std::uint64_t longest = std::uint64_t{1} << 30U;
  auto at = lsn.value;
  length = std::min(length, longest);
  while (length > 0) {
    if (at % page == 0) at += at % segment_size == 0 ? long_header : short_header;
    const auto part = std::min(length, page - at % page);
    at += part;
    length -= part;
  }
  return {(at + alignment - 1) / alignment * alignment};
}

std::optional<Lsn> WalChunkReader::position(std::string_view line) const {
  if (!line.starts_with(record_label)) return {};
  return parse_lsn(trim(after(line, "lsn: ", ',')));
}

Lsn WalChunkReader::end_of(std::string_view line, Lsn lsn) const {
  const auto length = after(line, "len (rec/tot):", ',');
  const auto total = length.substr(length.find('/') + 1);
  return end_of_record(lsn, number_of<std::uint64_t>(trim(total)), segment_size_);
}

void WalChunkReader::take_transaction(std::string_view line, std::string_view description,
                                      Lsn lsn) {
  for (const auto& mark : parse_transaction_ends(line)) {
    chunk_.ends.push_back({.xid = mark.xid,
                           .lsn = mark.lsn,
                           .end = end_of(line, lsn),
                           .time = mark.time,
                           .aborted = mark.aborted});
    auto details = details_of(description);
    if (!details.empty()) chunk_.details[chunk_.ends.size() - 1] = std::move(details);
  }
}

void WalChunkReader::take_heap(std::uint32_t xid, std::string_view description) {
  const auto counts = counts_of(description);
  if (counts == RecordCounts{}) return;
  const auto file = first_file(description, watch_.database);
  if (file != 0) work_[(std::uint64_t{xid} << 32U) | file] += counts;
}

void WalChunkReader::take(std::string_view line) {
  const auto lsn = position(line);
  if (!lsn) return;
  ++chunk_.records;
  for (const auto position : watch_.positions) {
    if (*lsn >= position && !chunk_.position_ends.contains(position)) {
      chunk_.position_ends[position] = end_of(line, *lsn);
    }
  }
  const auto at = line.find(description_label);
  if (at == std::string_view::npos) return;
  const auto description = line.substr(at + description_label.size());
  const auto manager =
      line.substr(record_label.size(), line.find(' ', record_label.size()) - record_label.size());
  const auto xid = number_of<std::uint32_t>(trim(after(line, "tx:", ',')));
  if (manager == "Transaction") {
    take_transaction(line, description, *lsn);
  } else if (manager == "Storage" && description.starts_with("CREATE ")) {
    if (const auto file = parse_file_path(after(description, "CREATE ", ' '))) {
      chunk_.created.push_back({.xid = xid, .file = *file});
    }
  } else if (manager == "Database" && description.starts_with("DROP")) {
    const auto directory = split(after(description, "dir ", ' '), '/');
    if (directory.size() == 2) {
      chunk_.dropped_databases.push_back(
          {.xid = xid, .database = number_of<std::uint32_t>(directory[1])});
    }
  } else if (manager == "XLOG" && description.starts_with("RESTORE_POINT ")) {
    chunk_.restore_points.push_back(
        {.name = std::string(description.substr(std::string_view("RESTORE_POINT ").size())),
         .end = end_of(line, *lsn)});
  } else if (watch_.database != 0 && (manager == "Heap" || manager == "Heap2")) {
    take_heap(xid, description);
  }
}

WalChunk WalChunkReader::finish() {
  std::set<std::uint32_t> wanted;
  for (const auto& [key, counts] : work_) {
    const auto file = static_cast<std::uint32_t>(key);
    if (watch_.watched && watch_.watched(file))
      wanted.insert(static_cast<std::uint32_t>(key >> 32U));
  }
  for (const auto& [key, counts] : work_) {
    const auto xid = static_cast<std::uint32_t>(key >> 32U);
    if (wanted.contains(xid)) chunk_.work[{xid, static_cast<std::uint32_t>(key)}] = counts;
  }
  work_.clear();
  return std::move(chunk_);
}

}  // namespace pgrehearse
