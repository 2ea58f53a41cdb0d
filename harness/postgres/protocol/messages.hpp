// Messages of a PostgreSQL server to its client.
// Source: "Message Formats" in PostgreSQL's documentation, protocol 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgrehearse {

// The number in four bytes of the protocol, and back. `bytes` has at least four.
std::uint32_t number_from_wire(std::string_view bytes);
std::string number_to_wire(std::uint32_t number);

// A message with its type and its length.
std::string server_message(char type, std::string_view body);
// `severity`: "FATAL" or "ERROR".
std::string error_message(std::string_view severity, std::string_view sqlstate,
                          std::string_view text);
std::string cleartext_password_request();

}  // namespace pgrehearse
