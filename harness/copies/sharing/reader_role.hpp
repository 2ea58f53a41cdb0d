// The role by which other accounts use a kept copy.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

constexpr std::string_view reader_role = "pgrehearse_reader";

// Makes the copy's server accept `role` from this process's account and returns its name. Empty:
// reader_role, which is created unless it exists, may read everything and sets
// default_transaction_read_only. Throws Error(usage) for a role that does not exist, may not log in
// or is a superuser, and where reader_role cannot be created: in a paused copy, and before
// PostgreSQL 14.
std::string admit_role(Sandbox& sandbox, std::string role, const std::stop_token& stop);

// pg_hba.conf or pg_ident.conf with lines for `role` like those for `superuser`; unchanged if there
// are such lines.
std::string hba_with_role(std::string_view hba, std::string_view role);
std::string ident_with_role(std::string_view ident, std::string_view superuser,
                            std::string_view role);

}  // namespace pgrehearse
