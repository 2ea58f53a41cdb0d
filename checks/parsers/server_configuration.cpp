#include "checks/parsers/server_configuration.hpp"

#include <fmt/format.h>

#include <cctype>

#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

bool is_name_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '$';
}

void skip_blanks(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t\r");
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
}

// The word in quotes at the front of `text`; nullopt where the closing quote is missing.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string word;
  text.remove_prefix(1);
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    const bool more = !text.empty();
    if (c == '\'' && !(more && text.front() == '\'')) return word;
    if ((c == '\'' || c == '\\') && more) {
      word += text.front();
      text.remove_prefix(1);
    } else {
      word += c;
    }
  }
  return {};
}

std::optional<ConfigurationLine> parse_line(std::string_view text) {
  ConfigurationLine line;
  while (!text.empty() && is_name_character(text.front())) {
    line.name += static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
    text.remove_prefix(1);
  }
  skip_blanks(text);
  if (!text.empty() && text.front() == '=') text.remove_prefix(1);
  skip_blanks(text);
  if (line.name.empty() || text.empty()) return {};
  if (text.front() == '\'') {
    auto word = take_quoted(text);
    if (!word) return {};
    line.value = std::move(*word);
  } else {
    const auto end = text.find_first_of(" \t\r#");
    line.value = text.substr(0, end);
    text.remove_prefix(std::min(end, text.size()));
  }
  skip_blanks(text);
  if (line.value.empty() && text.empty()) return line;
  if (!text.empty() && text.front() != '#') return {};
  return line;
}

constexpr int deepest_include = 10;  // PostgreSQL's own limit (CONF_FILE_MAX_DEPTH)

class Reader {
 public:
  Reader(const ConfigurationFiles& files, std::filesystem::path data)
      : files_(files), data_(std::move(data)) {}

  bool read(const std::filesystem::path& file, int depth) {
    const auto text = files_.read(file);
    if (!text) return false;
    const auto shown = shown_name(file);
    for (const auto& line : parse_configuration(*text)) {
      const auto origin = fmt::format("{}:{}", shown, line.line);
      if (line.name.empty()) {
        configuration.unreadable.push_back(origin);
      } else if (line.name == "include" || line.name == "include_if_exists" ||
                 line.name == "include_dir") {
        include(line, file.parent_path(), origin, depth + 1);
      } else {
        configuration.values[line.name] = {.value = line.value, .origin = origin};
      }
    }
    return true;
  }

  ServerConfiguration configuration;

 private:
  [[nodiscard]] std::string shown_name(const std::filesystem::path& file) const {
    const auto relative = file.lexically_relative(data_);
    const bool inside = !relative.empty() && *relative.begin() != "..";
    return inside ? relative.string() : file.filename().string();
  }

  void include(const ConfigurationLine& line, const std::filesystem::path& directory,
               const std::string& origin, int depth) {
    const std::filesystem::path named(line.value);
    const auto what = fmt::format("{} ({} '{}')", origin, line.name, line.value);
    // An absolute path, or one that leads out of the data directory, is not part of a backup.
    const auto target = (directory / named).lexically_normal();
    const auto relative = target.lexically_relative(data_);
    if (named.is_absolute() || relative.empty() || *relative.begin() == "..") {
      configuration.outside.push_back(what);
      return;
    }
    if (depth > deepest_include) {
      configuration.unreadable.push_back(origin);
      return;
    }
    if (line.name != "include_dir") {
      if (!read(target, depth) && line.name == "include") configuration.missing.push_back(what);
      return;
    }
    const auto listed = files_.list(target);
    if (!listed) {
      configuration.missing.push_back(what);
      return;
    }
    for (const auto& file : *listed) read(file, depth);
  }

  const ConfigurationFiles& files_;
  std::filesystem::path data_;
};

}  // namespace

std::vector<ConfigurationLine> parse_configuration(std::string_view text) {
  std::vector<ConfigurationLine> parsed;
  int number = 0;
  for (const auto line : lines_of(text)) {
    ++number;
    const auto entry = trim(line);
    if (entry.empty() || entry.front() == '#') continue;
    auto result = parse_line(entry).value_or(ConfigurationLine{});
    result.line = number;
    parsed.push_back(std::move(result));
  }
  return parsed;
}

ServerConfiguration read_configuration(const ConfigurationFiles& files,
                                       const std::filesystem::path& data,
                                       const std::filesystem::path& automatic) {
  Reader reader(files, data);
  const bool found = reader.read(data / "postgresql.conf", 0);
  auto& configuration = reader.configuration;
  configuration.complete = found && configuration.outside.empty() &&
                           configuration.missing.empty() && configuration.unreadable.empty();
  reader.read(automatic, 0);
  return std::move(configuration);
}

}  // namespace pgrehearse
