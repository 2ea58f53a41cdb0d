#include "harness/history/ledger_database.hpp"

#include <charconv>

#include "harness/common/sha256.hpp"

namespace pgrehearse {

std::uint64_t lock_key(std::string_view name) {
  std::uint64_t key = 0;
  const auto digits = sha256_of(name).substr(0, 2 * sizeof(key));
  std::from_chars(digits.data(), digits.data() + digits.size(), key, 16);
  return key;
}

}  // namespace pgrehearse
