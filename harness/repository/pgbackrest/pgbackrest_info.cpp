#include "harness/repository/pgbackrest/pgbackrest_info.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/repository/pgbackrest/pgbackrest_message.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorKind::repository, "cannot read the output of pgbackrest info: " + what,
              "run 'pgbackrest info --output=json' and check its output", FindingCode::repo_info);
}

Json parse(std::string_view text) {
  // With a wrong passphrase, messages contain invalid UTF-8, which JSON forbids.
  const auto clean = replace_unreadable(text);
  try {
    return Json::parse(clean);
  } catch (const Json::parse_error& failure) {
    const std::size_t at = failure.byte > 30 ? failure.byte - 30 : 0;
    refuse(fmt::format("byte {}, at '{}'", failure.byte,
                       excerpt(std::string_view(clean).substr(std::min(at, clean.size()), 60))));
  } catch (const Json::exception& failure) {
    refuse(excerpt(failure.what()));
  }
}

// One object of the document, with its path for messages.
class Node {
 public:
  Node(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
    if (!value_.is_object()) refuse(where_ + " is not an object");
  }

  [[nodiscard]] bool has(const char* key) const {
    return value_.contains(key) && !value_.at(key).is_null();
  }
  [[nodiscard]] Node child(const char* key) const { return {at(key), where_ + "." + key}; }
  [[nodiscard]] std::string text(const char* key) const {
    return typed(key, at(key).is_string(), "text").get<std::string>();
  }
  [[nodiscard]] std::uint64_t number(const char* key) const {
    return typed(key, at(key).is_number_unsigned(), "a number").get<std::uint64_t>();
  }
  [[nodiscard]] int small_number(const char* key) const {
    const auto value = number(key);
    if (value > 1'000'000) refuse(fmt::format("{}.{} is too large", where_, key));
    return static_cast<int>(value);
  }
  [[nodiscard]] bool flag(const char* key) const {
    return has(key) && typed(key, at(key).is_boolean(), "true or false").get<bool>();
  }
  // Elements of an array; none where it is absent.
  [[nodiscard]] std::vector<Node> list(const char* key) const {
    std::vector<Node> nodes;
    if (!has(key)) return nodes;
    for (const auto& element : typed(key, at(key).is_array(), "an array")) {
      nodes.emplace_back(element, fmt::format("{}.{}[{}]", where_, key, nodes.size()));
    }
    return nodes;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> found;
    if (!has(key)) return found;
    for (const auto& element : typed(key, at(key).is_array(), "an array")) {
      if (element.is_string()) found.push_back(element.get<std::string>());
    }
    return found;
  }
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  [[nodiscard]] const Json& at(const char* key) const {
    if (!value_.contains(key)) refuse(fmt::format("{} has no '{}'", where_, key));
    return value_.at(key);
  }
  [[nodiscard]] const Json& typed(const char* key, bool right, std::string_view type) const {
    if (!right) refuse(fmt::format("{}.{} is not {}", where_, key, type));
    return value_.at(key);
  }

  const Json& value_;
  std::string where_;
};

BackupType parse_type(const Node& backup) {
  const auto type = backup.text("type");
  if (type == "full") return BackupType::full;
  if (type == "diff") return BackupType::differential;
  if (type == "incr") return BackupType::incremental;
  refuse(fmt::format("{}.type is '{}'", backup.where(), excerpt(type)));
}

Instant parse_time(const Node& node, const char* key) {
  constexpr std::uint64_t last = 9'000'000'000;  // an Instant counts nanoseconds, up to 2262
  const auto seconds = node.number(key);
  if (seconds > last) refuse(fmt::format("{}.{} is too large", node.where(), key));
  return Instant(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

std::optional<Lsn> parse_position(const Node& node, const char* key) {
  const auto text = node.text(key);
  const auto lsn = parse_lsn(text);
  if (!lsn) refuse(fmt::format("{}.{} is '{}'", node.where(), key, excerpt(text)));
  return lsn;
}

int major_of(const std::string& version, const std::string& where) {
  int major = 0;
  const auto [end, failure] =
      std::from_chars(version.data(), version.data() + version.size(), major);
  if (failure != std::errc{} || end == version.data()) {
    refuse(fmt::format("{}.version is '{}'", where, excerpt(version)));
  }
  return major;
}

// Identity and version come from the stanza's history of databases, by repository and id.
void add_database(const Node& stanza, Backup& backup) {
  for (const auto& database : stanza.list("db")) {
    if (database.small_number("id") != backup.database_id) continue;
    if (database.small_number("repo-key") != backup.repository_key) continue;
    backup.system_identifier = database.number("system-id");
    backup.postgres_version = database.text("version");
    backup.postgres_major = major_of(backup.postgres_version, database.where());
    return;
  }
  refuse(fmt::format("backup {} belongs to database {} of repository {}, which is not listed",
                     backup.label, backup.database_id, backup.repository_key));
}

Backup parse_backup(const Node& node) {
  const auto database = node.child("database");
  const auto archive = node.child("archive");
  const auto times = node.child("timestamp");
  const auto info = node.child("info");
  Backup backup{.label = node.text("label"),
                .type = parse_type(node),
                .prior = node.has("prior") ? node.text("prior") : std::string(),
                .references = node.texts("reference"),
                .repository_key = database.small_number("repo-key"),
                .database_id = database.small_number("id"),
                .tool_version = node.child("backrest").text("version"),
                .start_time = parse_time(times, "start"),
                .stop_time = parse_time(times, "stop"),
                .size = {info.number("size")},
                .error = node.flag("error")};
  // Absent in an offline backup, which needs no WAL.
  if (archive.has("start")) backup.start_segment = archive.text("start");
  if (archive.has("stop")) backup.stop_segment = archive.text("stop");
  if (node.has("lsn")) {
    backup.start_lsn = parse_position(node.child("lsn"), "start");
    backup.stop_lsn = parse_position(node.child("lsn"), "stop");
  }
  if (info.has("repository") && info.child("repository").has("size")) {
    backup.repository_size = {info.child("repository").number("size")};
  }
  return backup;
}

RepositoryStatus parse_status(const Node& node) {
  const auto status = node.child("status");
  return {.code = status.small_number("code"), .message = status.text("message")};
}

// "mixed" and "other" are not specific: use the repositories' messages.
void detail_status(const Node& stanza, RepositoryStatus& status) {
  if (status.code == 0) return;
  const auto repositories = stanza.list("repo");
  std::string details;
  for (const auto& repository : repositories) {
    const auto own = parse_status(repository);
    if (repositories.size() == 1) {
      details = own.message;
    } else if (own.code != 0) {
      details += fmt::format("{}repo{}: {}", details.empty() ? "" : "; ",
                             repository.small_number("key"), excerpt(own.message));
    }
  }
  if (!details.empty()) status.message = details;
}

BackupList parse_stanza(const Node& stanza) {
  BackupList list{.status = parse_status(stanza)};
  detail_status(stanza, list.status);
  for (const auto& repository : stanza.list("repo")) {
    list.repositories[repository.small_number("key")] = parse_status(repository);
  }
  for (const auto& database : stanza.list("db")) {
    auto& newest = list.newest_database[database.small_number("repo-key")];
    newest = std::max(newest, database.small_number("id"));
  }
  for (const auto& node : stanza.list("backup")) {
    auto backup = parse_backup(node);
    add_database(stanza, backup);
    for (const auto& repository : stanza.list("repo")) {
      if (repository.small_number("key") != backup.repository_key) continue;
      backup.encrypted = repository.text("cipher") != "none";
    }
    list.backups.push_back(std::move(backup));
  }
  std::ranges::stable_sort(list.backups, {}, &Backup::label);
  return list;
}

}  // namespace

BackupList parse_pgbackrest_info(std::string_view json, const std::string& stanza) {
  const auto document = parse(json);
  if (!document.is_array()) refuse("not an array");
  for (const auto& element : document) {
    const Node node(element, "stanza");
    if (node.text("name") == stanza) return parse_stanza(node);
  }
  return {.status = {.code = 1, .message = "missing stanza path"}};
}

std::vector<std::string> stanza_names(std::string_view json) {
  const auto document = parse(json);
  std::vector<std::string> names;
  for (const auto& element : document) names.push_back(Node(element, "stanza").text("name"));
  return names;
}

std::vector<std::string> parse_error_list(std::string_view json) {
  const auto document = parse(json);
  std::vector<std::string> files;
  for (const auto& element : document) {
    for (const auto& backup : Node(element, "stanza").list("backup")) {
      for (auto& file : backup.texts("error-list")) files.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace pgrehearse
