#include "harness/faults/damage/manifest_files.hpp"

#include <nlohmann/json.hpp>

#include "harness/common/text.hpp"

namespace pgrehearse {

std::vector<ManifestFile> read_manifest(std::string_view text) {
  using Json = nlohmann::json;
  std::vector<ManifestFile> files;
  bool of_files = false;
  for (const auto line : lines_of(text)) {
    if (line.starts_with('[')) {
      of_files = line == "[target:file]";
      continue;
    }
    const auto at = line.find("={");
    if (!of_files || at == std::string_view::npos) continue;
    const auto entry = Json::parse(line.substr(at + 1), nullptr, false);
    if (!entry.is_object()) continue;
    const auto size = entry.find("size");
    files.push_back(
        {.name = std::string(line.substr(0, at)),
         .backup = entry.value("reference", std::string()),
         .size = size != entry.end() && size->is_number_unsigned() ? size->get<std::uint64_t>() : 0,
         .bundled = entry.contains("bni")});
  }
  return files;
}

}  // namespace pgrehearse
