// Many byte streams over one connection, the virtual machine's virtio port. The supervisor on the
// host opens streams, the agent in the virtual machine accepts them. Each stream has its own
// window, so that an unread stream does not block the others. A peer that sends more than the
// window allows is disconnected: the copy must not be able to fill the host's memory.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/process/descriptor.hpp"

namespace pgrehearse::agent {

class Multiplexer {
 public:
  // Opens the local end of a stream that the peer has requested; an empty one refuses it.
  using Accept = std::function<Descriptor(char service)>;

  Multiplexer(Descriptor port, Accept accept);

  // Each connection to this socket gets a stream to `service` of the peer.
  void listen(Descriptor socket, char service);
  // The peer may disconnect and connect again: reading the end of the port does not end run().
  void tolerate_reconnects() { tolerates_reconnects_ = true; }
  // Called after each wait, also after one that a signal interrupted.
  void on_wake(std::function<void()> action) { on_wake_ = std::move(action); }

  // Waits for the peer's answer; false when the port is closed instead.
  bool greet();
  // Runs until the port is closed.
  void run();

 private:
  enum class Type : std::uint8_t { open = 1, data, credit, end, greeting, answer };
  struct Header {
    std::uint32_t stream = 0;
    std::uint32_t length = 0;
    Type type = Type::data;
    char service = 0;
    std::uint16_t nothing = 0;
  };
  struct Stream {
    Descriptor end;
    std::string outgoing;       // received over the port and not yet written
    std::size_t consumed = 0;   // written since the last credit was sent
    std::size_t credit = 0;     // bytes that may still be sent
    bool received_all = false;  // the peer sends no more
    bool sent_all = false;      // this side sends no more
    bool broken = false;        // the local end no longer reads
  };
  struct Listener {
    Descriptor socket;
    char service = 0;
  };

  bool poll_once();
  void collect(std::vector<pollfd>& polled, std::vector<std::uint32_t>& streams) const;
  void send(std::uint32_t stream, Type type, std::string_view payload, char service = 0);
  void send_credit(std::uint32_t id, std::size_t count);
  bool read_port();
  bool write_port();
  // False: the peer has sent more than the window allows.
  bool handle(const Header& header, std::string_view payload);
  void handle_control(const Header& header);
  void accept_from(const Listener& listener);
  void read_stream(std::uint32_t id, Stream& stream);
  void write_stream(std::uint32_t id, Stream& stream);
  void finish_streams();

  Descriptor port_;
  Accept accept_;
  std::function<void()> on_wake_;
  bool tolerates_reconnects_ = false;
  bool greeted_ = false;
  std::string incoming_;
  std::string outgoing_;
  std::map<std::uint32_t, Stream> streams_;
  std::vector<Listener> listeners_;
  std::uint32_t next_ = 1;
};

}  // namespace pgrehearse::agent
