// The first messages of a client of PostgreSQL, and the server's answers to them.
// Source: "Message Formats" in PostgreSQL's documentation, protocol 3.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgrehearse {

// Without its length field of four bytes. The server itself accepts no more
// (MAX_STARTUP_PACKET_LENGTH).
constexpr std::size_t longest_startup_packet = 10000;

struct StartupPacket {
  enum class Kind {
    ssl_request,
    gss_request,  // GSSENCRequest
    cancel_request,
    startup,
    invalid,  // or another protocol than 3
  };
  Kind kind = Kind::invalid;
  std::string user;  // of a startup packet
};

// `body`: the packet after its length field.
StartupPacket parse_startup_packet(std::string_view body);

// Messages of a server.
std::string fatal_error_message(std::string_view sqlstate, std::string_view text);
std::string cleartext_password_request();

// The number in four bytes of the protocol, and back. `bytes` has at least four.
std::uint32_t number_from_wire(std::string_view bytes);
std::string number_to_wire(std::uint32_t number);

}  // namespace pgrehearse
