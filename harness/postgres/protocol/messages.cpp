#include "harness/postgres/protocol/messages.hpp"

namespace pgrehearse {

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

std::string server_message(char type, std::string_view body) {
  return type + number_to_wire(static_cast<std::uint32_t>(body.size() + 4)) + std::string(body);
}

std::string error_message(std::string_view severity, std::string_view sqlstate,
                          std::string_view text) {
  std::string body;
  const auto field = [&](char type, std::string_view value) {
    body += type;
    body += value;
    body += '\0';
  };
  field('S', severity);
  field('V', severity);
  field('C', sqlstate);
  field('M', text);
  body += '\0';
  return server_message('E', body);
}

std::string cleartext_password_request() {
  constexpr std::uint32_t cleartext = 3;
  return server_message('R', number_to_wire(cleartext));
}

}  // namespace pgrehearse
