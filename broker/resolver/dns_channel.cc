#include "broker/resolver/dns_channel.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "proto/check.h"

namespace sockgate {
namespace {

OrderedSockets* Sockets(void* self) { return static_cast<OrderedSockets*>(self); }

// One part at a time: c-ares sends the rest when it is told to. Never sendmsg(2), which the filter
// forbids for the address that it may carry.
ares_ssize_t SendFirst(int fd, const iovec* parts, int count, void* /*self*/) {
  if (count == 0) return 0;
  const ares_ssize_t sent = send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
  // An earlier query was refused. c-ares would pass over the server for this one alone, and the
  // other one would wait out its time; sent once more, both learn of it when they read.
  const bool refused = sent < 0 && errno == ECONNREFUSED;
  return refused ? send(fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL) : sent;
}

const ares_socket_functions kSocketFunctions = {
    [](int /*family*/, int type, int /*protocol*/, void* self) {
      return Sockets(self)->Open(type);
    },
    [](int fd, void* /*self*/) { return close(fd); },
    [](int fd, const sockaddr* address, ares_socklen_t length, void* self) {
      return Sockets(self)->Connect(fd, address, length);
    },
    [](int fd, void* data, size_t size, int flags, sockaddr* from, ares_socklen_t* length,
       void* /*self*/) -> ares_ssize_t { return recvfrom(fd, data, size, flags, from, length); },
    &SendFirst,
};

// The list that ares_set_servers_ports() takes; it copies it.
std::vector<ares_addr_port_node> ServerNodes(const std::vector<Endpoint>& servers) {
  std::vector<ares_addr_port_node> nodes(servers.size());
  for (size_t i = 0; i < servers.size(); ++i) {
    ares_addr_port_node& node = nodes[i];
    node.next = i + 1 < servers.size() ? &nodes[i + 1] : nullptr;
    node.family = servers[i].address_family();
    node.udp_port = servers[i].port();
    node.tcp_port = servers[i].port();
    std::memcpy(&node.addr, servers[i].ip().data(), servers[i].ip().size());
  }
  return nodes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DnsChannel>> DnsChannel::Open(const ResolverConfig& config,
                                                             int epoll, uint64_t cookie,
                                                             OrderedSockets* sockets) {
  std::unique_ptr<DnsChannel> channel(new DnsChannel(epoll, cookie));
  const int status = channel->Init(config, sockets);
  if (status == ARES_SUCCESS) return channel;
  return absl::InternalError(absl::StrCat("c-ares: ", ares_strerror(status)));
}

DnsChannel::~DnsChannel() {
  if (channel_ != nullptr) ares_destroy(channel_);
}

// c-ares reads no file of the machine's here: what it would look for is given, or in an empty file.
// Without EDNS: a longer answer then comes by TCP, where it can neither be forged from afar nor
// fragmented.
int DnsChannel::Init(const ResolverConfig& config, OrderedSockets* sockets) {
  std::string lookups = "b";
  std::string resolv_conf = "/dev/null";
  ares_options options = {};
  options.timeout = static_cast<int>(config.timeout_ms);
  options.tries = static_cast<int>(config.tries);
  options.lookups = lookups.data();
  options.resolvconf_path = resolv_conf.data();
  options.sock_state_cb_data = this;
  options.sock_state_cb = [](void* data, int fd, int readable, int writable) {
    static_cast<DnsChannel*>(data)->OnSocketState(fd, readable != 0, writable != 0);
  };
  const int given = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS |
                    ARES_OPT_RESOLVCONF | ARES_OPT_SOCK_STATE_CB | ARES_OPT_NOROTATE;
  int status = ares_init_options(&channel_, &options, given);
  if (status != ARES_SUCCESS) return status;
  std::vector<ares_addr_port_node> servers = ServerNodes(config.servers);
  status = ares_set_servers_ports(channel_, servers.data());
  ares_set_socket_functions(channel_, &kSocketFunctions, sockets);
  return status;
}

void DnsChannel::Query(const std::string& name, int type, OnEnd on_end, void* data) {
  ares_query(channel_, name.c_str(), ns_c_in, type, on_end, data);
}

void DnsChannel::OnEvent(int fd, uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool readable = broken || (events & EPOLLIN) != 0;
  const bool writable = broken || (events & EPOLLOUT) != 0;
  // A socket that this wake-up has closed already is none of the channel's, and passed over.
  ares_process_fd(channel_, readable ? fd : ARES_SOCKET_BAD, writable ? fd : ARES_SOCKET_BAD);
}

void DnsChannel::Tick() { ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

void DnsChannel::Cancel() { ares_cancel(channel_); }

void DnsChannel::OnSocketState(int fd, bool readable, bool writable) {
  const auto index = static_cast<size_t>(fd);
  if (watched_.size() <= index) watched_.resize(index + 1);
  const bool wanted = readable || writable;
  const bool watched = watched_[index];
  if (!wanted && !watched) return;
  const int change = !wanted ? EPOLL_CTL_DEL : watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  epoll_event event = {};
  event.events = (readable ? uint32_t{EPOLLIN} : 0) | (writable ? uint32_t{EPOLLOUT} : 0);
  event.data.u64 = cookie_ + static_cast<uint32_t>(fd);
  SOCKGATE_CHECK(epoll_ctl(epoll_, change, fd, &event) == 0);
  watched_[index] = wanted;
}

}  // namespace sockgate
