// DnsChannel: a channel of c-ares, through which queries go to the name servers and messages come
// back.
//
// Process: resolver. Opened before it is confined, because c-ares seeds its query ids from a file;
// used afterwards.
// Ownership: owns c-ares's channel. Refers to the epoll set and to `sockets`, which outlive it.
// Threads: one. Nothing waits but OrderedSockets, for the broker.
// Hostile inputs: what the name servers send. c-ares checks the source address, the id and the
// question of a message; what else is in it is for answer_reader.h.
// Failure: each query ends once, at the latest when c-ares has lost its patience, which doubles
// with every try; Cancel() ends them all.

#ifndef SOCKGATE_BROKER_RESOLVER_DNS_CHANNEL_H_
#define SOCKGATE_BROKER_RESOLVER_DNS_CHANNEL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "broker/resolver/ordered_sockets.h"
#include "broker/resolver/resolver_config.h"

struct ares_channeldata;

namespace sockgate {

class DnsChannel {
 public:
  // As ares_callback: `message` is null when the query ended without one, for the reason `status`.
  using OnEnd = void (*)(void* data, int status, int timeouts, unsigned char* message, int size);

  // Its sockets enter and leave the set `epoll` as c-ares wants, with their numbers added to
  // `cookie`.
  static absl::StatusOr<std::unique_ptr<DnsChannel>> Open(const ResolverConfig& config, int epoll,
                                                          uint64_t cookie, OrderedSockets* sockets);
  // Ends what is left with ARES_EDESTRUCTION.
  ~DnsChannel();
  DnsChannel(const DnsChannel&) = delete;
  DnsChannel& operator=(const DnsChannel&) = delete;

  // May end before this returns. `type` is of <arpa/nameser.h>; the class is IN.
  void Query(const std::string& name, int type, OnEnd on_end, void* data);

  // With what epoll says of socket `fd`.
  void OnEvent(int fd, uint32_t events);

  // Repeats the queries whose time has come, and ends those that have been repeated enough.
  void Tick();

  void Cancel();

 private:
  DnsChannel(int epoll, uint64_t cookie) : epoll_(epoll), cookie_(cookie) {}

  int Init(const ResolverConfig& config, OrderedSockets* sockets);
  void OnSocketState(int fd, bool readable, bool writable);

  const int epoll_;
  const uint64_t cookie_;
  std::vector<bool> watched_;  // by descriptor: whether it is in the epoll set
  ares_channeldata* channel_ = nullptr;
};

}  // namespace sockgate

#endif  // SOCKGATE_BROKER_RESOLVER_DNS_CHANNEL_H_
