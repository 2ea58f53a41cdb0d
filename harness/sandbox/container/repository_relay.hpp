// Egress of a container without a network: pgrehearse listens on the container's own loopback
// interface and forwards connections to the repository's host. The container gets no interface, no
// route and no name server.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct Forward {
  NetworkEndpoint to;
  std::string address;  // inside; the port is that of `to`
};

// Each host gets its own address: 127.0.0.N, or the host itself if it is an IPv4 address.
std::vector<Forward> forwards_to(const std::vector<NetworkEndpoint>& endpoints);

// Content of /etc/hosts inside: host names with the addresses of their forwards.
std::string hosts_text(const std::vector<Forward>& forwards);

// Sockets that listen at the forwards' addresses in the network namespace of `process`. Throws
// Error(environment, env_container), also if this process may not enter the namespace, which
// requires root.
std::vector<int> listen_in_network_of(pid_t process, const std::vector<Forward>& forwards);

class RepositoryRelay {
 public:
  RepositoryRelay(pid_t process, const std::vector<Forward>& forwards)
      : RepositoryRelay(listen_in_network_of(process, forwards), forwards) {}
  // One listening socket per forward; takes ownership of them.
  RepositoryRelay(const std::vector<int>& sockets, const std::vector<Forward>& forwards);
  RepositoryRelay(const RepositoryRelay&) = delete;
  RepositoryRelay& operator=(const RepositoryRelay&) = delete;
  // Closes every connection.
  ~RepositoryRelay();

 private:
  struct Service;
  std::unique_ptr<Service> service_;
};

}  // namespace pgrehearse
