// Many streams of bytes over one line: the machine's virtio port. One end opens streams (the keeper
// on the host), the other answers (the agent in the machine). Each stream has a window of its own,
// so that one which nobody reads holds up no other. Who sends more than that ends the line: the
// copy must not be able to fill this host's memory.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/agent/descriptor.hpp"

namespace pgrehearse::guest {

class Multiplexer {
 public:
  // Makes the local end of a stream that the other side has opened; an empty one refuses it.
  using Answer = std::function<Descriptor(char service)>;

  Multiplexer(Descriptor line, Answer answer);

  // Whoever connects to this socket gets a stream to `service` of the other end.
  void listen(Descriptor socket, char service);
  // A line whose other end is away for a moment is no line that has ended.
  void keep_line() { keeps_line_ = true; }
  // Called after each wait, also when one was interrupted by a signal.
  void on_wake(std::function<void()> action) { on_wake_ = std::move(action); }

  // Asks the other end whether it is there; true once it has answered, false when the line ends.
  bool greet();
  // Until the line ends.
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
    std::string outgoing;      // what came over the line and is not yet written
    std::size_t consumed = 0;  // written since the other side was told
    std::size_t credit = 0;    // how much may still be sent
    bool heard_all = false;    // the other side sends no more
    bool said_all = false;     // this side sends no more
    bool broken = false;       // nobody reads what comes
  };
  struct Listener {
    Descriptor socket;
    char service = 0;
  };

  bool turn();
  void collect(std::vector<pollfd>& polled, std::vector<std::uint32_t>& streams) const;
  void send(std::uint32_t stream, Type type, std::string_view payload, char service = 0);
  void send_credit(std::uint32_t id, std::size_t count);
  bool read_line();
  bool write_line();
  // False: the other side does not keep to the windows.
  bool handle(const Header& header, std::string_view payload);
  void answer(const Header& header);
  void accept_from(const Listener& listener);
  void read_stream(std::uint32_t id, Stream& stream);
  void write_stream(std::uint32_t id, Stream& stream);
  void finish_streams();

  Descriptor line_;
  Answer answer_;
  std::function<void()> on_wake_;
  bool keeps_line_ = false;
  bool greeted_ = false;
  std::string incoming_;
  std::string outgoing_;
  std::map<std::uint32_t, Stream> streams_;
  std::vector<Listener> listeners_;
  std::uint32_t next_ = 1;
};

}  // namespace pgrehearse::guest
