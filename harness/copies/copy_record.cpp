#include "harness/copies/copy_record.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/sandbox/directories.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view schema = "pgrehearse.copy/1";

fs::path file_of(const fs::path& state, const std::string& run_id) {
  return state / "copies" / (run_id + ".json");
}

std::string text_or_empty(const std::optional<fs::path>& path) {
  return path ? path->string() : std::string();
}

std::optional<fs::path> path_or_none(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<fs::path>(text);
}

}  // namespace

void save_copy_record(const fs::path& state, const CopyRecord& record) {
  const auto& repository = record.repository;
  const Json json{{"schema", schema},
                  {"run_id", record.run_id},
                  {"stanza", repository.stanza},
                  {"config", text_or_empty(repository.configuration)},
                  {"binary", repository.binary},
                  {"repo", repository.key.value_or(0)},
                  {"backup", repository.backup},
                  {"databases", repository.databases},
                  {"superuser", record.superuser},
                  {"binaries", text_or_empty(record.binaries)},
                  {"postgres_major", record.postgres_major},
                  {"target", record.target},
                  {"landed", record.landed ? to_text(*record.landed) : ""}};
  const auto file = file_of(state, record.run_id);
  require_trusted(file.parent_path());
  make_open_directories(file.parent_path());
  auto part = file;
  part += ".new";
  {
    std::ofstream out(part, std::ios::trunc);
    out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    if (!out.flush()) {
      throw Error(ErrorKind::environment, fmt::format("cannot write {}", part.string()),
                  "set --state to a directory that this account can write to",
                  FindingCode::env_state, part.string());
    }
  }
  fs::rename(part, file);
}

std::optional<CopyRecord> load_copy_record(const fs::path& state, const std::string& run_id) {
  std::ifstream in(file_of(state, run_id));
  const auto json =
      nlohmann::json::parse(std::string(std::istreambuf_iterator<char>(in), {}), nullptr, false);
  if (!json.is_object()) return {};
  try {
    if (json.at("schema").get<std::string>() != schema) return {};
    CopyRecord record{.run_id = run_id,
                      .repository = {.stanza = json.at("stanza"),
                                     .configuration = path_or_none(json.at("config")),
                                     .binary = json.at("binary"),
                                     .backup = json.at("backup"),
                                     .databases = json.at("databases")},
                      .superuser = json.at("superuser"),
                      .binaries = path_or_none(json.at("binaries")),
                      .postgres_major = json.at("postgres_major"),
                      .target = json.at("target"),
                      .landed = parse_lsn(json.at("landed").get<std::string>())};
    if (const int key = json.at("repo"); key > 0) record.repository.key = key;
    return record;
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

void remove_copy_record(const fs::path& state, const std::string& run_id) {
  std::error_code ignored;
  fs::remove(file_of(state, run_id), ignored);
}

}  // namespace pgrehearse
