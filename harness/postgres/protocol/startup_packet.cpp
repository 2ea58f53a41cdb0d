#include "harness/postgres/protocol/startup_packet.hpp"

#include "harness/postgres/protocol/messages.hpp"

namespace pgrehearse {

namespace {

constexpr std::uint32_t ssl_request_code = 80877103;
constexpr std::uint32_t gss_request_code = 80877104;
constexpr std::uint32_t cancel_request_code = 80877102;
constexpr std::uint32_t protocol_major = 3;

// The text up to the next zero byte, which is removed as well; false without a zero byte.
bool take_text(std::string_view& rest, std::string_view& text) {
  const auto end = rest.find('\0');
  if (end == std::string_view::npos) return false;
  text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

}  // namespace

StartupPacket parse_startup_packet(std::string_view body) {
  using Kind = StartupPacket::Kind;
  if (body.size() < 4) return {};
  const auto code = number_from_wire(body);
  auto rest = body.substr(4);
  if (code == ssl_request_code) return {.kind = Kind::ssl_request, .user = {}, .replication = {}};
  if (code == gss_request_code) return {.kind = Kind::gss_request, .user = {}, .replication = {}};
  if (code == cancel_request_code)
    return {.kind = Kind::cancel_request, .user = {}, .replication = {}};
  if (code >> 16U != protocol_major) return {};
  StartupPacket packet{.kind = Kind::startup, .user = {}, .replication = {}};
  std::string_view name;
  while (take_text(rest, name)) {
    // An empty name ends the list, and nothing comes after it.
    if (name.empty()) return rest.empty() ? packet : StartupPacket{};
    std::string_view value;
    if (!take_text(rest, value)) return {};
    // The server uses the last one.
    if (name == "user") packet.user = value;
    if (name == "replication") packet.replication = value;
  }
  return {};
}

}  // namespace pgrehearse
