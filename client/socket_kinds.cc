#include "client/socket_kinds.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdlib>
#include <optional>

namespace sockgate {
namespace {

struct Known {
  int type;
  int protocol;
  const char* service_protocol;  // null: it has no ports
  bool usual;                    // given to who asks for none in particular
};

constexpr Known kKnown[] = {
    {SOCK_STREAM, IPPROTO_TCP, "tcp", true},    {SOCK_DGRAM, IPPROTO_UDP, "udp", true},
    {SOCK_DCCP, IPPROTO_DCCP, "dccp", false},   {SOCK_DGRAM, IPPROTO_UDPLITE, "udplite", false},
    {SOCK_STREAM, IPPROTO_SCTP, "sctp", false}, {SOCK_SEQPACKET, IPPROTO_SCTP, "sctp", false},
    {SOCK_RAW, 0 /* any */, nullptr, true},
};

bool Fits(const Known& known, const addrinfo& hints) {
  const bool any_protocol = hints.ai_protocol == 0 || known.service_protocol == nullptr;
  return (hints.ai_socktype == 0 || hints.ai_socktype == known.type) &&
         (any_protocol || hints.ai_protocol == known.protocol);
}

const Known* FirstThatFits(const addrinfo& hints) {
  for (const Known& known : kKnown) {
    if (Fits(known, hints)) return &known;
  }
  return nullptr;
}

// Nothing for a name.
std::optional<unsigned long> Number(const char* service) {
  char* end;
  const unsigned long number = std::strtoul(service, &end, 10);
  if (*end != '\0') return std::nullopt;
  return number;
}

SocketKind Kind(const Known& known, const addrinfo& hints, uint16_t port) {
  const bool any_protocol = known.service_protocol == nullptr;
  return {known.type, any_protocol ? hints.ai_protocol : known.protocol, port};
}

void AddNumbered(const addrinfo& hints, const Known* only, uint16_t port,
                 std::vector<SocketKind>* kinds) {
  if (only != nullptr) kinds->push_back(Kind(*only, hints, port));
  for (const Known& known : kKnown) {
    if (only == nullptr && known.usual) kinds->push_back(Kind(known, hints, port));
  }
}

void AddNamed(const addrinfo& hints, const Known* only, const char* service,
              const ServiceTable& services, std::vector<SocketKind>* kinds) {
  for (const Known& known : kKnown) {
    if (known.service_protocol == nullptr || (only != nullptr && only != &known)) continue;
    const auto port = services.Port(service, known.service_protocol);
    if (port.has_value()) kinds->push_back(Kind(known, hints, *port));
  }
}

}  // namespace

int ListSocketKinds(const addrinfo& hints, const char* service, const ServiceTable& services,
                    std::vector<SocketKind>* kinds) {
  const auto number = service == nullptr ? 0UL : Number(service);
  if (!number.has_value() && (hints.ai_flags & AI_NUMERICSERV) != 0) return EAI_NONAME;
  const Known* only = nullptr;
  if (hints.ai_socktype != 0 || hints.ai_protocol != 0) {
    only = FirstThatFits(hints);
    if (only == nullptr) return hints.ai_socktype != 0 ? EAI_SOCKTYPE : EAI_SERVICE;
    if (only->service_protocol == nullptr && service != nullptr) return EAI_SERVICE;
  }
  if (number.has_value()) {
    if (*number > UINT16_MAX) return EAI_SERVICE;
    AddNumbered(hints, only, static_cast<uint16_t>(*number), kinds);
  } else {
    AddNamed(hints, only, service, services, kinds);
  }
  return kinds->empty() ? EAI_SERVICE : 0;
}

}  // namespace sockgate
