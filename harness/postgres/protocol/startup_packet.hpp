// The first messages of a client of PostgreSQL.
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
  // Of a startup packet; empty: not stated.
  std::string user;
  std::string replication;  // "true": physical replication
};

// `body`: the packet after its length field.
StartupPacket parse_startup_packet(std::string_view body);

}  // namespace pgrehearse
