// Small functions on text that the standard library lacks.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgrehearse {

std::vector<std::string_view> split(std::string_view text, char separator);
std::vector<std::string_view> lines_of(std::string_view text);  // without a last empty line
std::string_view trim(std::string_view text);
std::string join(std::span<const std::string> parts, std::string_view separator);

// For "did you mean": the candidate within a third of its length in edits (at least one; two
// exchanged neighbours are one edit), the first of the nearest; else the first that begins with
// `word`, of three letters at least. nullopt where nothing is near.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// `word` in single quotes with inner quotes doubled: an SQL literal or a postgresql.conf value
// (backslashes doubled as well).
std::string quote_setting(std::string_view word);

}  // namespace pgrehearse
