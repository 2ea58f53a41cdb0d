#include "checks/parsers/stray_file.hpp"

#include <algorithm>
#include <array>

namespace pgrehearse {

namespace {

using std::string_view_literals::operator""sv;

bool take_number(std::string_view& text) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

// 16384, 16384_vm, 16384.1, 16384_fsm.2; of temporary relations: t3_16384
bool is_relation_file(std::string_view text) {
  if (text.starts_with('t')) {
    text.remove_prefix(1);
    if (!take_number(text) || !text.starts_with('_')) return false;
    text.remove_prefix(1);
  }
  if (!take_number(text)) return false;
  for (const auto fork : {"_fsm"sv, "_vm"sv, "_init"sv}) {
    if (text.starts_with(fork)) {
      text.remove_prefix(fork.size());
      break;
    }
  }
  if (text.empty()) return true;
  if (!text.starts_with('.')) return false;
  text.remove_prefix(1);
  return !text.starts_with('0') && take_number(text) && text.empty();
}

}  // namespace

bool is_stray_file(std::string_view name) {
  constexpr std::array prefixes{"pg_control"sv, "pg_filenode.map"sv, "pg_internal.init"sv,
                                "PG_VERSION"sv, "pgsql_tmp"sv,       "config_exec_params"sv};
  return !is_relation_file(name) &&
         std::none_of(prefixes.begin(), prefixes.end(),
                      [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace pgrehearse
