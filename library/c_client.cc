#include "library/c_client.h"

#include <sys/socket.h>

#include <optional>
#include <utility>

#include "client/reconnect_by.h"
#include "library/c_error.h"
#include "library/connect_failure.h"
#include "library/sockgate.h"
#include "proto/endpoint.h"
#include "proto/ip_address.h"
#include "proto/limits.h"

namespace sockgate::c {
namespace {

int Give(absl::StatusOr<std::unique_ptr<BrokerClient>> made, sockgate_client** client,
         sockgate_error* error) {
  if (!made.ok()) return Fail(error, made.status());
  *client = new sockgate_client{*std::move(made)};
  return SOCKGATE_OK;
}

std::optional<Transport> TransportOf(int type) {
  switch (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) {
    case SOCK_STREAM:
      return Transport::kStream;
    case SOCK_DGRAM:
      return Transport::kDatagram;
    default:
      return std::nullopt;
  }
}

int FlagsOf(const ConnectResult& result) {
  return (result.started ? SOCKGATE_STARTED : 0) | (result.tracked ? SOCKGATE_TRACKED : 0);
}

int Connect(sockgate_client* client, const Endpoint& endpoint, Transport transport, int mode,
            uint32_t deadline_ms, sockgate_socket* socket, sockgate_error* error) {
  if (mode != SOCKGATE_CONNECTED && mode != SOCKGATE_IN_PROGRESS) {
    return Fail(error, SOCKGATE_BAD_ARGUMENT,
                "the mode is none of SOCKGATE_CONNECTED and _IN_PROGRESS");
  }
  if (deadline_ms < 1 || deadline_ms > kMaxDeadlineMs) {
    return Fail(error, SOCKGATE_BAD_ARGUMENT, "the deadline is not within 1 and 150000 ms");
  }
  ConnectRequest request;
  request.transport = transport;
  request.mode = mode == SOCKGATE_CONNECTED ? ConnectMode::kConnected : ConnectMode::kInProgress;
  request.purpose = Purpose::kDirect;
  request.deadline_ms = deadline_ms;
  request.endpoint = endpoint;
  ConnectResult result = client->client->Connect(request);
  if (!result.error.ok()) return Fail(error, result.error);
  socket->flags = FlagsOf(result);
  socket->rule = result.rule;
  socket->descriptor = result.socket.Release();
  return SOCKGATE_OK;
}

int CheckConnect(const sockgate_client* client, const void* address, const sockgate_socket* socket,
                 sockgate_error* error) {
  if (client == nullptr) return FailNull(error, "client");
  if (address == nullptr) return FailNull(error, "address");
  if (socket == nullptr) return FailNull(error, "socket");
  if (IsWritable(socket)) return SOCKGATE_OK;
  return Fail(error, SOCKGATE_BAD_ARGUMENT, "socket has no size: use SOCKGATE_SOCKET_INIT");
}

}  // namespace
}  // namespace sockgate::c

using namespace sockgate;     // NOLINT(google-build-using-namespace)
using namespace sockgate::c;  // NOLINT(google-build-using-namespace)

int sockgate_client_from_path(const char* path, sockgate_client** client, sockgate_error* error) {
  return Guarded(error, [&] {
    if (path == nullptr) return FailNull(error, "path");
    if (client == nullptr) return FailNull(error, "client");
    return Give(BrokerClient::FromPath(path), client, error);
  });
}

int sockgate_client_from_descriptor(int channel, int source, sockgate_client** client,
                                    sockgate_error* error) {
  // Taken first: they are the client's in any outcome.
  UniqueFd channel_fd(channel);
  UniqueFd source_fd(source);
  return Guarded(error, [&] {
    if (client == nullptr) return FailNull(error, "client");
    return Give(
        BrokerClient::FromDescriptor(
            std::move(channel_fd),
            source_fd.valid() ? ReconnectBy::Source(std::move(source_fd)) : ReconnectBy::Nothing()),
        client, error);
  });
}

int sockgate_client_from_environment(sockgate_client** client, sockgate_error* error) {
  return Guarded(error, [&] {
    if (client == nullptr) return FailNull(error, "client");
    return Give(BrokerClient::FromEnvironment(), client, error);
  });
}

void sockgate_client_free(sockgate_client* client) { delete client; }

int sockgate_client_resolves(const sockgate_client* client) {
  return client != nullptr && client->client->resolves() ? 1 : 0;
}

int sockgate_connect(sockgate_client* client, const struct sockaddr* address, socklen_t length,
                     int type, int mode, uint32_t deadline_ms, sockgate_socket* socket,
                     sockgate_error* error) {
  return Guarded(error, [&] {
    if (const int code = CheckConnect(client, address, socket, error)) return code;
    const auto endpoint = Endpoint::FromSockaddr(address, length);
    const auto transport = TransportOf(type);
    if (!endpoint.has_value() || !transport.has_value()) {
      return Fail(error, ConnectError::Local(ConnectError::Kind::kUnsupported, EPROTONOSUPPORT));
    }
    return Connect(client, *endpoint, *transport, mode, deadline_ms, socket, error);
  });
}

int sockgate_connect_ip(sockgate_client* client, const char* ip, uint16_t port, int mode,
                        uint32_t deadline_ms, sockgate_socket* socket, sockgate_error* error) {
  return Guarded(error, [&] {
    if (const int code = CheckConnect(client, ip, socket, error)) return code;
    const auto address = IpAddress::Parse(ip);
    if (!address.has_value()) {
      return Fail(error, SOCKGATE_BAD_ARGUMENT, "that is no IP address: resolve names first");
    }
    return Connect(client, Endpoint::Ip(*address, port), Transport::kStream, mode, deadline_ms,
                   socket, error);
  });
}

void sockgate_socket_close(sockgate_socket* socket) {
  if (socket == nullptr || !IsWritable(socket) || socket->descriptor < 0) return;
  const UniqueFd owned(socket->descriptor);
  socket->descriptor = -1;
  if (socket->flags != 0) shutdown(owned.get(), SHUT_RDWR);
}
