#include "harness/primary/fingerprint/fingerprint.hpp"

#include <array>
#include <utility>

namespace pgrehearse {

namespace {

constexpr std::array<std::pair<Coverage, std::string_view>, 4> coverages{
    {{Coverage::full, "full"},
     {Coverage::sampled, "sampled"},
     {Coverage::counted, "counted"},
     {Coverage::none, "none"}}};

constexpr std::array<std::pair<Uncovered, std::string_view>, 10> causes{
    {{Uncovered::no, ""},
     {Uncovered::unlogged, "unlogged"},
     {Uncovered::foreign, "foreign"},
     {Uncovered::unpopulated, "unpopulated"},
     {Uncovered::excluded, "excluded"},
     {Uncovered::rewritten, "rewritten"},
     {Uncovered::budget, "budget"},
     {Uncovered::permission, "permission"},
     {Uncovered::locked, "locked"},
     {Uncovered::failed, "failed"}}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return {};
}

template <typename Value, typename Table>
std::optional<Value> value_in(const Table& table, std::string_view name) {
  for (const auto& [value, known] : table) {
    if (known == name) return value;
  }
  return {};
}

}  // namespace

std::string_view name_of(Coverage coverage) { return name_in(coverages, coverage); }
std::optional<Coverage> parse_coverage(std::string_view name) {
  return value_in<Coverage>(coverages, name);
}

std::string_view name_of(Uncovered cause) { return name_in(causes, cause); }
std::optional<Uncovered> parse_uncovered(std::string_view name) {
  return value_in<Uncovered>(causes, name);
}

bool is_gap(Uncovered cause) { return cause > Uncovered::rewritten; }

}  // namespace pgrehearse
