#include "harness/cli/web_pages.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iterator>

#include "harness/cli/metrics_export.hpp"
#include "harness/common/error.hpp"
#include "harness/common/text.hpp"

namespace pgrehearse {

namespace {

constexpr const char* default_listen = "127.0.0.1:8417";

struct Listen {
  std::string address;
  int port = 0;
};

// "127.0.0.1:8417", "[::1]:8417", ":8417" (all addresses), "8417".
Listen parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  auto address = colon == std::string::npos ? std::string("127.0.0.1") : text.substr(0, colon);
  if (address.empty()) address = "0.0.0.0";
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  const auto port_text = colon == std::string::npos ? text : text.substr(colon + 1);
  const auto port = number_of<int>(port_text);
  if (port_text.empty() || port_text.find_first_not_of("0123456789") != std::string::npos ||
      port < 0 || port > 65535) {
    throw Error(ErrorKind::usage, fmt::format("'{}' is not an address and port", text),
                "for example --listen 127.0.0.1:8417, or --listen off");
  }
  return {address, port};
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address == "::1" || address == "localhost";
}

std::string read_token(const std::filesystem::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) {
    throw Error(ErrorKind::environment, fmt::format("cannot read the token in {}", file.string()),
                "write a random token of at least 16 characters to it");
  }
  if ((status.st_mode & 077U) != 0) {
    throw Error(ErrorKind::usage,
                fmt::format("the token file {} can be read by other accounts", file.string()),
                fmt::format("run 'chmod 600 {}'", file.string()));
  }
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  auto token = std::string(trim(text));
  constexpr std::size_t shortest = 16;
  if (token.size() < shortest) {
    throw Error(
        ErrorKind::usage,
        fmt::format("the token in {} is shorter than {} characters", file.string(), shortest),
        "remove the file: a new token is then created");
  }
  return token;
}

// Creates it, readable by this account only.
void create_token(const std::filesystem::path& file) {
  std::error_code failure;
  std::filesystem::create_directories(file.parent_path(), failure);
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return;  // it exists, or reading it will say why
  const auto text = random_secret() + "\n";
  if (write(descriptor, text.data(), text.size()) < 0) std::filesystem::remove(file, failure);
  close(descriptor);
}

std::vector<NextStart> next_starts(const DrillControl* control) {
  std::vector<NextStart> starts;
  if (control == nullptr) return starts;
  for (const auto& scenario : control->snapshot().scenarios) {
    if (!scenario.next_start) continue;
    starts.push_back({scenario.name, scenario.stanza, *scenario.next_start});
  }
  return starts;
}

}  // namespace

void add_web_options(CLI::App& command, WebArguments& arguments) {
  command
      .add_option("--listen", arguments.listen,
                  "address and port of the web pages, or off [127.0.0.1:8417]")
      ->type_name("ADDRESS:PORT");
  command
      .add_option("--token-file", arguments.token_file,
                  "file with the token that starting drills needs, and reading from other hosts "
                  "[<state>/serve/token, created]")
      ->type_name("FILE");
  command.add_flag("--read-only", arguments.read_only, "no drill can be started or stopped");
  command
      .add_option("--user-header", arguments.user_header,
                  "header with the user's name that a reverse proxy on this host sets")
      ->type_name("HEADER");
  command
      .add_option("--host-name", arguments.host_names,
                  "name of this site in URLs, if a reverse proxy passes it on")
      ->type_name("NAME");
}

WebPages::WebPages(const WebArguments& arguments, const CommonOptions& common, Parts parts)
    : runner_(real_command_runner()), control_(parts.control), metrics_(metrics_options(common)) {
  if (arguments.listen == "off") return;
  // malloc_trim() releases the unused end of the main arena only, not of the threads' own ones.
  mallopt(M_ARENA_MAX, 1);
  const auto listen = parse_listen(arguments.listen.empty() ? default_listen : arguments.listen);
  const auto file =
      arguments.token_file.empty() ? common.state / "serve" / "token" : arguments.token_file;
  if (arguments.token_file.empty()) create_token(file);
  maps_ = std::make_unique<MapSource>(MapSource::Parts{
      .runner = *runner_,
      .program = std::filesystem::read_symlink("/proc/self/exe"),
      .state = common.state,
      .file_of = [this](const std::string& name) -> std::optional<std::filesystem::path> {
        if (control_ == nullptr) return {};
        for (const auto& scenario : control_->snapshot().scenarios) {
          if (scenario.name == name) return scenario.file;
        }
        return {};
      }});
  site_ = std::make_unique<WebSite>(
      WebSite::Parts{
          .state = common.state,
          .open_ledger =
              [parameters = parts.ledger, stop = parts.stop, &common] {
                return std::make_unique<Ledger>(open_ledger(parameters, common.state, stop));
              },
          .control = parts.control,
          .maps = *maps_,
          .metrics =
              [this](Ledger& ledger) { return metrics_.text(ledger, next_starts(control_)); },
          .now = [] { return Instant(std::chrono::system_clock::now()); }},
      WebSite::Options{.address = listen.address,
                       .port = listen.port,
                       .access = {.token = read_token(file),
                                  .loopback = is_loopback(listen.address),
                                  .read_only = arguments.read_only,
                                  .user_header = arguments.user_header,
                                  .host_names = arguments.host_names}});
  const int port = site_->start();
  spdlog::info("web pages: http://{}:{}/, token in {}", listen.address, port, file.string());
}

}  // namespace pgrehearse
