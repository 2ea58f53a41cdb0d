// Writes a table or a database of a restored instance to a file, with pg_dump.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <stop_token>
#include <string>
#include <string_view>

#include "harness/common/units.hpp"
#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct DumpRequest {
  std::string object;  // as written: "shop.public.orders" or "shop"
  std::string database;
  std::string pattern;  // of pg_dump's --table; empty: the whole database
  std::filesystem::path file;
};

// "shop.public.orders=orders.dump" or "shop=shop.dump". Throws Error(usage).
DumpRequest parse_dump_request(std::string_view text);

// Runs pg_dump in the sandbox, in its custom format, and writes the result to `out`. Returns its
// size. Throws Error(environment) with pg_dump's message.
Bytes dump(Sandbox& sandbox, const DumpRequest& request, std::ostream& out,
           const std::stop_token& stop);

// For the target of this number: "orders.dump" becomes "orders.2.dump".
std::filesystem::path numbered(const std::filesystem::path& file, std::size_t number);

}  // namespace pgrehearse
