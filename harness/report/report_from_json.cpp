#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/common/error.hpp"
#include "harness/report/finding_codes.hpp"
#include "harness/report/report.hpp"
#include "harness/report/report_fields.hpp"

namespace pgrehearse {

namespace {

using Json = nlohmann::json;

// One JSON object and the path that leads to it, for messages. A key that is absent or null leaves
// the record's default, so that records of older releases stay readable.
class Node {
 public:
  Node(const Json& value, std::string path) : value_(value), path_(std::move(path)) {
    if (!value_.is_object()) wrong(path_, "an object");
  }

  void operator()(const char* key, std::string& into) const {
    if (const auto* found = find(key)) into = text(*found, path_of(key));
  }
  void operator()(const char* key, bool& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_boolean()) wrong(path_of(key), "true or false");
    into = found->get<bool>();
  }
  void operator()(const char* key, double& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_number()) wrong(path_of(key), "a number");
    into = found->get<double>();
  }
  template <std::integral Number>
  void operator()(const char* key, Number& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    const bool fits =
        found->is_number_unsigned()
            ? std::in_range<Number>(found->get<std::uint64_t>())
            : found->is_number_integer() && std::in_range<Number>(found->get<std::int64_t>());
    if (!fits) wrong(path_of(key), "a whole number within its range");
    into = found->get<Number>();
  }
  void operator()(const char* key, Instant& into) const {
    if (const auto* found = find(key)) {
      const auto instant = parse_instant(text(*found, path_of(key)));
      if (!instant) wrong(path_of(key), "a time in ISO 8601");
      into = *instant;
    }
  }
  void operator()(const char* key, Lsn& into) const {
    if (const auto* found = find(key)) {
      const auto lsn = parse_lsn(text(*found, path_of(key)));
      if (!lsn) wrong(path_of(key), "a WAL position");
      into = *lsn;
    }
  }
  // A code that only another release knows reads as none.
  void operator()(const char* key, FindingCode& into) const {
    if (const auto* found = find(key)) into = finding_code_of(text(*found, path_of(key)));
  }
  void operator()(const char* key, Verdict& into) const {
    if (const auto* found = find(key)) {
      const auto verdict = parse_verdict(text(*found, path_of(key)));
      if (!verdict) wrong(path_of(key), "pass, fail, unknown or skipped");
      into = *verdict;
    }
  }
  void operator()(const char* key, Severity& into) const {
    if (const auto* found = find(key)) {
      const auto severity = parse_severity(text(*found, path_of(key)));
      if (!severity) wrong(path_of(key), "error, unknown or note");
      into = *severity;
    }
  }
  void operator()(const char* key, LikelyCause& into) const {
    if (const auto* found = find(key)) {
      const auto cause = parse_likely_cause(text(*found, path_of(key)));
      if (!cause) wrong(path_of(key), "a likely cause");
      into = *cause;
    }
  }
  void operator()(const char* key, std::map<std::string, std::string>& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_object()) wrong(path_of(key), "an object");
    for (const auto& [name, value] : found->items()) into[name] = text(value, path_of(key));
  }
  void operator()(const char* key, std::vector<std::string>& into) const {
    each(key, [&](const Json& item, const std::string& path) { into.push_back(text(item, path)); });
  }
  // A 64-bit number that is written as text.
  void digits(const char* key, std::uint64_t& into) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    const auto digits = text(*found, path_of(key));
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    if (failure != std::errc{} || end != digits.data() + digits.size()) {
      wrong(path_of(key), "a number written as text");
    }
  }
  template <typename T>
  void operator()(const char* key, std::optional<T>& into) const {
    if (find(key) != nullptr) (*this)(key, into.emplace());
  }
  template <typename Record>
  requires std::is_class_v<Record>
  void operator()(const char* key, Record& into) const {
    if (const auto* found = find(key)) read(*found, path_of(key), into);
  }
  template <typename Record>
  void operator()(const char* key, std::vector<Record>& into) const {
    each(key,
         [&](const Json& item, const std::string& path) { read(item, path, into.emplace_back()); });
  }
  template <typename T>
  void required(const char* key, T& into) const {
    if (find(key) == nullptr) wrong(path_of(key), "there");
    (*this)(key, into);
  }
  // Keeps the value that `into` has: the document must have the same.
  void constant(const char* key, std::string& into) const {
    std::string found;
    required(key, found);
    if (found == into) return;
    throw Error(ErrorKind::usage,
                fmt::format("report key '{}' is '{}', not '{}'", path_of(key), found, into),
                "it was written by a different version of pgrehearse");
  }
  template <typename T>
  void unless_empty(const char* key, std::vector<T>& into) const {
    (*this)(key, into);
  }
  void null_if_empty(const char* key, std::string& into) const { (*this)(key, into); }
  void severity(const char* key, Finding& finding) const { (*this)(key, finding.severity); }
  template <typename Members>
  void group(const char* key, Members members) const {
    if (const auto* found = find(key)) {
      const Node inner(*found, path_of(key));
      members(inner);
    }
  }

 private:
  [[noreturn]] static void wrong(const std::string& path, std::string_view wanted) {
    const auto what = path.empty() ? std::string("report") : fmt::format("report key '{}'", path);
    throw Error(ErrorKind::usage, fmt::format("{} is not {}", what, wanted),
                "check that the file is a complete pgrehearse report");
  }
  static std::string text(const Json& value, const std::string& path) {
    if (!value.is_string()) wrong(path, "a string");
    return value.get<std::string>();
  }
  [[nodiscard]] std::string path_of(const char* key) const {
    return path_.empty() ? key : path_ + "." + key;
  }
  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = value_.find(key);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }
  template <typename Record>
  static void read(const Json& value, const std::string& path, Record& into) {
    const Node node(value, path);
    visit(node, into);
  }
  template <typename Action>
  void each(const char* key, Action action) const {
    const auto* found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) wrong(path_of(key), "a list");
    for (std::size_t i = 0; i < found->size(); ++i) {
      action((*found)[i], fmt::format("{}[{}]", path_of(key), i));
    }
  }

  const Json& value_;
  std::string path_;
};

}  // namespace

Report report_from_json(const std::string& text) {
  const Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    throw Error(ErrorKind::usage, "report is not complete JSON",
                "the drill was killed while writing it, or the file is not a report");
  }
  Report report;
  const Node root(document, "");
  visit(root, report);
  return report;
}

}  // namespace pgrehearse
