#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <functional>
#include <system_error>

#include "harness/common/error.hpp"
#include "harness/reporting/reporter.hpp"

namespace pgrehearse {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& file, int error) {
  throw Error(
      ErrorKind::environment,
      fmt::format("cannot write '{}': {}", file.string(), std::generic_category().message(error)),
      "check permissions and free space; 'pgrehearse report' can write reports again",
      FindingCode::env_report_file, file.string());
}

void write_to(const fs::path& target, const fs::path& named,
              const std::function<void(std::ostream&)>& write) {
  errno = 0;
  std::ofstream out(target, std::ios::binary | std::ios::trunc);
  if (out.is_open()) write(out);
  out.close();
  if (out.fail()) fail(named, errno != 0 ? errno : EIO);
}

}  // namespace

void write_output_file(const fs::path& file, const std::function<void(std::ostream&)>& write) {
  std::error_code failure;
  // A symbolic link is kept; a device or a pipe cannot be replaced.
  const auto place = fs::weakly_canonical(file, failure);
  const auto target = failure ? file : place;
  if (fs::exists(target, failure) && !fs::is_regular_file(target, failure)) {
    write_to(target, file, write);
    return;
  }
  const fs::path part = fmt::format("{}.{}.part", target.string(), getpid());
  try {
    write_to(part, file, write);
    if (std::rename(part.c_str(), target.c_str()) != 0) fail(file, errno);
  } catch (...) {
    fs::remove(part, failure);
    throw;
  }
}

void write_report_file(const Report& report, std::string_view format, const fs::path& file,
                       const RenderOptions& options) {
  const auto& reporter = find_reporter(format);
  write_output_file(file, [&](std::ostream& out) { reporter.write(report, options, out); });
}

}  // namespace pgrehearse
