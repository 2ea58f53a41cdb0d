#include "harness/sandbox/vm/vm_image.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <array>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "harness/common/error.hpp"
#include "harness/common/sha256.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view how_to_make =
    "build one with docker/vm/build, or set sandbox.image to another image";
constexpr std::array<const char*, 4> members{"image.json", "kernel", "modules.cpio", "root.qcow2"};

[[noreturn]] void refuse(const fs::path& image, const std::string& message,
                         std::string hint = std::string(how_to_make)) {
  throw Error(ErrorKind::environment, message, std::move(hint), FindingCode::env_image,
              image.string());
}

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

fs::path directory_of(const SandboxSpec& spec, const fs::path& state) {
  const auto& image = options_of<VmOptions>(spec).image;
  if (!image.empty()) return image;
  const auto major = std::to_string(spec.postgres_major);
  for (const auto& directory : {state / "vm" / major, fs::path("/var/lib/pgrehearse/vm") / major}) {
    std::error_code unreadable;
    if (fs::exists(directory / "SHA256SUMS", unreadable)) return directory;
  }
  return state / "vm" / major;
}

std::string architecture_of_this_host() {
  utsname names{};
  uname(&names);
  return static_cast<const char*>(names.machine);
}

}  // namespace

VmImage find_vm_image(const SandboxSpec& spec, const fs::path& state) {
  VmImage image{.directory = directory_of(spec, state)};
  const auto& directory = image.directory;
  if (directory.is_relative()) {
    refuse(directory, fmt::format("the image '{}' is not an absolute path", directory.string()));
  }
  for (const auto* member : members) {
    std::error_code unreadable;
    if (fs::is_regular_file(directory / member, unreadable)) continue;
    refuse(directory, fmt::format("{} is not a virtual machine image: it has no file {}",
                                  directory.string(), member));
  }
  image.checksum = "sha256:" + sha256_of_file(directory / "SHA256SUMS").value_or("");
  const auto& pinned = options_of<VmOptions>(spec).checksum;
  if (!pinned.empty() && image.checksum != pinned) {
    refuse(directory,
           fmt::format("the image {} has checksum {}, expected {}", directory.string(),
                       image.checksum, pinned),
           "it was rebuilt or modified; if you trust it, set sandbox.checksum to its checksum");
  }
  const auto facts = nlohmann::json::parse(content_of(directory / "image.json"), nullptr, false);
  if (!facts.is_object() || facts.value("schema", "") != "pgrehearse.vm-image/1") {
    refuse(directory, fmt::format("{} is not an image that this version of pgrehearse supports",
                                  directory.string()));
  }
  image.kernel = facts.value("kernel", "");
  // On an emulated CPU the measured recovery time would be meaningless.
  const auto architecture = facts.value("architecture", "");
  if (architecture != architecture_of_this_host()) {
    refuse(directory, fmt::format("the image {} is for {}, this host is {}", directory.string(),
                                  architecture, architecture_of_this_host()));
  }
  return image;
}

void verify_vm_image(const VmImage& image, const std::stop_token& stop) {
  const auto sums = content_of(image.directory / "SHA256SUMS");
  for (const auto* member : members) {
    const auto checksum = sha256_of_file(image.directory / member, stop);
    const auto line = fmt::format("{}  {}", checksum.value_or(""), member);
    bool found = false;
    for (const auto named : lines_of(sums)) found = found || named == line;
    if (found) continue;
    refuse(image.directory, fmt::format("{} does not match the image's SHA256SUMS",
                                        (image.directory / member).string()));
  }
}

}  // namespace pgrehearse
