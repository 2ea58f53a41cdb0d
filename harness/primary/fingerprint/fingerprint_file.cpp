#include "harness/primary/fingerprint/fingerprint_file.hpp"

#include <fmt/format.h>

#include <istream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/primary/fingerprint/raw_names.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view schema = "pgrehearse.fingerprint/1";

// Names may contain invalid UTF-8, in a SQL_ASCII database.
void put(std::ostream& out, const Json& line) {
  out << line.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n';
}

Json json_of(const std::optional<SequenceReading>& reading) {
  if (!reading) return nullptr;
  return Json::array(
      {reading->last_value, reading->logged_ahead, reading->called, reading->file_node});
}

// The JSON library recurses: limit the depth.
Json parse_line(const std::string& text) {
  constexpr int deepest = 64;
  return Json::parse(text, [](int depth, Json::parse_event_t /*event*/, const Json& /*value*/) {
    if (depth > deepest) throw std::runtime_error("a line is nested too deeply");
    return true;
  });
}

// The JSON library converts 1e30 to an arbitrary integer.
template <typename Number>
Number whole(const Json& json) {
  const bool fits = json.is_number_unsigned() ? std::in_range<Number>(json.get<std::uint64_t>())
                                              : json.is_number_integer() &&
                                                    std::in_range<Number>(json.get<std::int64_t>());
  if (!fits) throw std::runtime_error(json.dump() + " is not an integer in the allowed range");
  return json.get<Number>();
}

template <typename Number>
Number whole(const Json& json, const char* key, Number otherwise) {
  return json.contains(key) ? whole<Number>(json.at(key)) : otherwise;
}

std::optional<SequenceReading> reading_of(const Json& json) {
  if (json.is_null()) return {};
  return SequenceReading{.last_value = whole<std::int64_t>(json.at(0)),
                         .logged_ahead = whole<std::int64_t>(json.at(1)),
                         .called = json.at(2).get<bool>(),
                         .file_node = whole<std::uint32_t>(json.at(3))};
}

std::string name_at(const Json& json, const char* key) {
  return unescape_raw_bytes(json.at(key).get<std::string>());
}

std::vector<std::string> names_of(const Json& json, const char* key) {
  auto names = json.value(key, std::vector<std::string>{});
  for (auto& name : names) name = unescape_raw_bytes(name);
  return names;
}

FingerprintHeader header_of(const Json& json) {
  FingerprintHeader header{.system_identifier = whole<std::uint64_t>(json.at("system_identifier")),
                           .server_version = whole<int>(json.at("server_version")),
                           .timeline = whole<Timeline>(json.at("timeline")),
                           .source = json.at("source").get<std::string>(),
                           .sample = {.percentage = json.at("sample").get<double>(),
                                      .seed = whole<std::int64_t>(json.at("seed"))}};
  const auto taken = parse_instant(json.at("taken").get<std::string>());
  if (!taken) throw std::runtime_error("'taken' is not a time");
  header.taken = *taken;
  return header;
}

std::vector<std::uint64_t> in_flight_of(const Json& json) {
  std::vector<std::uint64_t> transactions;
  for (const auto& transaction : json) transactions.push_back(whole<std::uint64_t>(transaction));
  return transactions;
}

DatabaseFingerprint database_of(const Json& json) {
  const auto lsn = parse_lsn(json.at("lsn").get<std::string>());
  if (!lsn) throw std::runtime_error("'lsn' is not a WAL position");
  return {.database = name_at(json, "database"),
          .exact = json.at("exact").get<bool>(),
          .method = json.at("method").get<std::string>(),
          .explanation = json.at("explanation").get<std::string>(),
          .lsn = *lsn,
          .exclusive = json.at("exclusive").get<bool>(),
          .candidates = whole<std::uint64_t>(json, "candidates", 0),
          .in_flight = in_flight_of(json.at("in_flight")),
          .with_cluster = json.at("cluster").get<bool>(),
          .error = json.value("error", "")};
}

SequenceState sequence_of(const Json& json) {
  return {.name = name_at(json, "sequence"),
          .increment = whole<std::int64_t>(json.at("increment")),
          .cycles = json.at("cycles").get<bool>(),
          .before = reading_of(json.at("before")),
          .after = reading_of(json.at("after")),
          .error = json.value("error", "")};
}

RelationContent relation_of(const Json& json) {
  const auto coverage = parse_coverage(json.at("coverage").get<std::string>());
  const auto cause = parse_uncovered(json.value("cause", ""));
  if (!coverage || !cause) throw std::runtime_error("unknown coverage or cause");
  return {.name = name_at(json, "relation"),
          .hash = json.value("hash", ""),
          .withheld = names_of(json, "withheld"),
          .error = json.value("error", ""),
          .rows = whole<std::int64_t>(json, "rows", 0),
          .pages = whole<std::int64_t>(json.at("pages")),
          .oid = whole<std::uint32_t>(json.at("oid")),
          .file_node = whole<std::uint32_t>(json, "file_node", 0),
          .coverage = *coverage,
          .cause = *cause,
          .as_text = json.value("as_text", false)};
}

FingerprintLine line_of(const Json& json) {
  if (json.contains("relation")) return relation_of(json);
  if (json.contains("entry")) {
    const auto& entry = json.at("entry");
    return CatalogEntry{.kind = entry.at(0).get<std::string>(),
                        .identity = unescape_raw_bytes(entry.at(1).get<std::string>()),
                        .definition = unescape_raw_bytes(json.at("definition").dump())};
  }
  if (json.contains("sequence")) return sequence_of(json);
  if (json.contains("database")) return database_of(json);
  if (json.contains("unlisted")) {
    return CatalogGap{.kind = json.at("unlisted").get<std::string>(),
                      .error = json.at("error").get<std::string>()};
  }
  throw std::runtime_error("unknown kind of line");
}

}  // namespace

FingerprintWriter::FingerprintWriter(std::ostream& out, const FingerprintHeader& header)
    : out_(out) {
  put(out_, {{"schema", schema},
             {"system_identifier", header.system_identifier},
             {"server_version", header.server_version},
             {"timeline", header.timeline},
             {"taken", to_iso8601(header.taken)},
             {"source", header.source},
             {"sample", header.sample.percentage},
             {"seed", header.sample.seed}});
}

void FingerprintWriter::write(const DatabaseFingerprint& database) {
  ++databases_;
  Json json{{"database", escape_raw_bytes(database.database)},
            {"exact", database.exact},
            {"method", database.method},
            {"lsn", to_text(database.lsn)},
            {"exclusive", database.exclusive},
            {"cluster", database.with_cluster},
            {"explanation", database.explanation},
            {"candidates", database.candidates},
            {"in_flight", database.in_flight}};
  if (!database.error.empty()) json["error"] = database.error;
  put(out_, json);
}

void FingerprintWriter::write(const CatalogEntry& entry) {
  ++entries_;
  // The definition is JSON already.
  const auto names = Json::array({entry.kind, escape_raw_bytes(entry.identity)});
  out_ << R"({"entry":)" << names.dump(-1, ' ', false, Json::error_handler_t::replace)
       << R"(,"definition":)" << escape_raw_bytes(entry.definition) << "}\n";
}

void FingerprintWriter::write(const CatalogGap& gap) {
  put(out_, {{"unlisted", gap.kind}, {"error", gap.error}});
}

void FingerprintWriter::write(const SequenceState& sequence) {
  ++sequences_;
  Json json{{"sequence", escape_raw_bytes(sequence.name)},
            {"increment", sequence.increment},
            {"cycles", sequence.cycles},
            {"before", json_of(sequence.before)},
            {"after", json_of(sequence.after)}};
  if (!sequence.error.empty()) json["error"] = sequence.error;
  put(out_, json);
}

void FingerprintWriter::write(const RelationContent& relation) {
  ++relations_;
  Json json{{"relation", escape_raw_bytes(relation.name)},
            {"oid", relation.oid},
            {"pages", relation.pages},
            {"coverage", name_of(relation.coverage)}};
  if (relation.file_node != 0) json["file_node"] = relation.file_node;
  if (relation.coverage != Coverage::none) json["rows"] = relation.rows;
  if (!relation.hash.empty()) json["hash"] = relation.hash;
  if (relation.as_text) json["as_text"] = true;
  for (const auto& column : relation.withheld) {
    json["withheld"].push_back(escape_raw_bytes(column));
  }
  if (relation.cause != Uncovered::no) json["cause"] = name_of(relation.cause);
  if (!relation.error.empty()) json["error"] = relation.error;
  put(out_, json);
}

void FingerprintWriter::finish() {
  put(out_, {{"end", true},
             {"databases", databases_},
             {"entries", entries_},
             {"sequences", sequences_},
             {"relations", relations_}});
  out_.flush();
  if (!out_) throw Error(ErrorKind::environment, "the fingerprint could not be written");
}

FingerprintReader::FingerprintReader(std::unique_ptr<std::istream> input, std::string name)
    : input_(std::move(input)), name_(std::move(name)) {
  std::string text;
  if (!std::getline(*input_, text)) refuse("empty or unreadable");
  ++line_;
  try {
    const auto json = parse_line(text);
    if (json.at("schema") != schema) {
      refuse(
          fmt::format("schema {} is not supported, expected {}", json.at("schema").dump(), schema));
    }
    header_ = header_of(json);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse(error.what());
  }
}

FingerprintReader::~FingerprintReader() = default;

void FingerprintReader::refuse(const std::string& why) const {
  throw Error(ErrorKind::usage, fmt::format("{}:{}: not a fingerprint: {}", name_, line_, why),
              "create one with `pgrehearse fingerprint --to FILE`");
}

void FingerprintReader::check_end(const std::string& line) {
  ended_ = true;
  if (skipped_) return;
  const auto json = parse_line(line);
  const auto same = [&](const char* key, std::uint64_t seen) {
    if (json.at(key) != seen) {
      refuse(
          fmt::format("the last line says {} {}, the file has {}", json.at(key).dump(), key, seen));
    }
  };
  same("databases", databases_);
  same("entries", entries_);
  same("sequences", sequences_);
  same("relations", relations_);
}

// False at the last line, after checking its counts.
bool FingerprintReader::read_line() {
  if (std::exchange(held_, false)) return true;
  if (ended_) return false;
  if (!std::getline(*input_, text_)) refuse("truncated: the last line is missing");
  ++line_;
  if (!text_.starts_with(R"({"end")")) return true;
  check_end(text_);
  return false;
}

bool FingerprintReader::seek(std::string_view database) {
  skipped_ = true;
  try {
    while (read_line()) {
      if (!text_.starts_with(R"({"database")")) continue;
      if (name_at(parse_line(text_), "database") != database) continue;
      held_ = true;
      return true;
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse(error.what());
  }
  return false;
}

const FingerprintLine* FingerprintReader::next() {
  try {
    if (!read_line()) return nullptr;
    current_ = line_of(parse_line(text_));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    refuse(error.what());
  }
  databases_ += std::holds_alternative<DatabaseFingerprint>(current_) ? 1 : 0;
  entries_ += std::holds_alternative<CatalogEntry>(current_) ? 1 : 0;
  sequences_ += std::holds_alternative<SequenceState>(current_) ? 1 : 0;
  relations_ += std::holds_alternative<RelationContent>(current_) ? 1 : 0;
  return &current_;
}

std::vector<DatabaseFingerprint> databases_of(FingerprintReader& reader) {
  std::vector<DatabaseFingerprint> databases;
  while (const auto* line = reader.next()) {
    if (const auto* database = std::get_if<DatabaseFingerprint>(line)) {
      databases.push_back(*database);
    }
  }
  return databases;
}

}  // namespace pgrehearse
