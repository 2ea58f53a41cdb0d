// The one way out of a container without a network: pgrehearse listens inside, on the container's
// own loopback interface, and carries what comes to one port of the repository's host. The
// container gets no interface, no route and no name server.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "harness/sandbox/sandbox.hpp"

namespace pgrehearse {

struct Way {
  NetworkEndpoint to;
  std::string address;  // listened at inside, at the port of the same number
};

// Each host has an address of its own: 127.0.0.N, or its number where that is how it is named.
std::vector<Way> ways_to(const std::vector<NetworkEndpoint>& endpoints);

// For /etc/hosts inside: the names lead to the ways.
std::string hosts_text(const std::vector<Way>& ways);

// Sockets that listen at the ways in the network of that process. Throws Error(environment,
// PGR-ENV-CONTAINER), also when this process may not enter it: that takes root.
std::vector<int> listen_in_network_of(pid_t process, const std::vector<Way>& ways);

class RepositoryRelay {
 public:
  RepositoryRelay(pid_t process, const std::vector<Way>& ways)
      : RepositoryRelay(listen_in_network_of(process, ways), ways) {}
  // One listening socket a way; takes them over.
  RepositoryRelay(const std::vector<int>& sockets, const std::vector<Way>& ways);
  RepositoryRelay(const RepositoryRelay&) = delete;
  RepositoryRelay& operator=(const RepositoryRelay&) = delete;
  // Closes every connection.
  ~RepositoryRelay();

 private:
  struct Service;
  std::unique_ptr<Service> service_;
};

}  // namespace pgrehearse
