#include "harness/copies/sharing/startup_packet.hpp"

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

std::string message(char type, std::string_view body) {
  return type + number_to_wire(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}

}  // namespace

std::uint32_t number_from_wire(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(0, 4))
    number = number << 8U | static_cast<std::uint8_t>(byte);
  return number;
}

std::string number_to_wire(std::uint32_t number) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(number >> shift);
  return bytes;
}

StartupPacket parse_startup_packet(std::string_view body) {
  using Kind = StartupPacket::Kind;
  if (body.size() < 4) return {};
  const auto code = number_from_wire(body);
  auto rest = body.substr(4);
  if (code == ssl_request_code) return {.kind = Kind::ssl_request, .user = {}};
  if (code == gss_request_code) return {.kind = Kind::gss_request, .user = {}};
  if (code == cancel_request_code) return {.kind = Kind::cancel_request, .user = {}};
  if (code >> 16U != protocol_major) return {};
  StartupPacket packet{.kind = Kind::startup, .user = {}};
  std::string_view name;
  while (take_text(rest, name)) {
    // An empty name ends the list, and nothing comes after it.
    if (name.empty()) return rest.empty() ? packet : StartupPacket{};
    std::string_view value;
    if (!take_text(rest, value)) return {};
    // The server uses the last one.
    if (name == "user") packet.user = value;
  }
  return {};
}

std::string fatal_error_message(std::string_view sqlstate, std::string_view text) {
  std::string body;
  const auto field = [&](char type, std::string_view value) {
    body += type;
    body += value;
    body += '\0';
  };
  field('S', "FATAL");
  field('V', "FATAL");
  field('C', sqlstate);
  field('M', text);
  body += '\0';
  return message('E', body);
}

std::string cleartext_password_request() {
  constexpr std::uint32_t cleartext = 3;
  return message('R', number_to_wire(cleartext));
}

}  // namespace pgrehearse
