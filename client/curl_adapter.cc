#include "client/curl_adapter.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/launch/connect_probe.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;

// Nothing for what no broker opens.
std::optional<Transport> TransportOf(const curl_sockaddr& address) {
  // From 8.19 libcurl ors SOCK_CLOEXEC into the type.
  const int type = address.socktype & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
  const int protocol = address.protocol;
  if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) return Transport::kStream;
  if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP)) return Transport::kDatagram;
  return std::nullopt;
}

ConnectResult Unsupported(int error_number) {
  ConnectResult result;
  result.error = ConnectError::Local(Kind::kUnsupported, error_number);
  return result;
}

}  // namespace

int SockoptAnswer(ConnectMode mode, unsigned version_num) {
  // 7.88.0 and 7.88.1 call connect(2) even after ALREADY_CONNECTED, and take its EISCONN for a
  // failure.
  const bool ignored =
      version_num == CURL_VERSION_BITS(7, 88, 0) || version_num == CURL_VERSION_BITS(7, 88, 1);
  if (mode == ConnectMode::kInProgress || ignored) return CURL_SOCKOPT_OK;
  return CURL_SOCKOPT_ALREADY_CONNECTED;
}

CurlAdapter::CurlAdapter(BrokerClient* client, CurlAdapterOptions options)
    : client_(client),
      options_(std::move(options)),
      sockopt_answer_(
          SockoptAnswer(options_.mode, curl_version_info(CURLVERSION_NOW)->version_num)) {}

CurlAdapter::~CurlAdapter() = default;

absl::Status CurlAdapter::Attach(CURL* easy) {
  if (sockopt_answer_ == CURL_SOCKOPT_OK && !launch::ConnectAnswersInProgress()) {
    return absl::FailedPreconditionError(
        "connect(2) reaches the kernel here, and this mode or this libcurl needs it answered: "
        "confine the process first (launch::Worker, or launch::Confine with the fetcher profile)");
  }
  Handle* handle;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<Handle>& slot = handles_[easy];
    if (slot == nullptr) slot = std::make_unique<Handle>();
    // Anew each time: another handle may have had this address before.
    *slot = {this, easy, Endpoint(), ConnectError()};
    handle = slot.get();
  }
  curl_easy_setopt(easy, CURLOPT_DOH_URL, nullptr);
  curl_easy_setopt(easy, CURLOPT_INTERFACE, nullptr);
  curl_easy_setopt(easy, CURLOPT_LOCALPORT, 0L);
  curl_easy_setopt(easy, CURLOPT_TCP_FASTOPEN, 0L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlAdapter::OpenSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, handle);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, &CurlAdapter::SetSocketOptions);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, handle);
  // A connection may outlive the handle that opened it, so this callback gets nothing of the
  // handle's.
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlAdapter::CloseSocket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  return absl::OkStatus();
}

void CurlAdapter::Detach(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, nullptr);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, nullptr);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, nullptr);
  const std::lock_guard<std::mutex> lock(mutex_);
  handles_.erase(easy);
}

ConnectError CurlAdapter::LastError(CURL* easy) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = handles_.find(easy);
  return found == handles_.end() ? ConnectError() : found->second->error;
}

std::string CurlAdapter::Explain(CURL* easy, CURLcode code) const {
  if (code == CURLE_INTERFACE_FAILED) {
    return "CURLOPT_INTERFACE and CURLOPT_LOCALPORT were set after Attach(): a broker's socket is "
           "connected already and cannot be bound";
  }
  std::string target;
  ConnectError error;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = handles_.find(easy);
    if (found != handles_.end()) {
      error = found->second->error;
      found->second->endpoint.AppendTo(&target);
    }
  }
  if (code == CURLE_COULDNT_CONNECT && !error.ok()) {
    return absl::StrCat(target, ": ", error.ToString());
  }
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY) {
    return absl::StrCat(
        curl_easy_strerror(code),
        ": a confined worker cannot look names up, by DNS or (if CURLOPT_DOH_URL was "
        "set after Attach) by HTTPS; give the address of every host beforehand "
        "with CURLOPT_RESOLVE");
  }
  return curl_easy_strerror(code);
}

curl_socket_t CurlAdapter::OpenSocket(void* handle, curlsocktype purpose, curl_sockaddr* address) {
  auto* self = static_cast<Handle*>(handle);
  ConnectResult result = purpose == CURLSOCKTYPE_IPCXN ? self->adapter->Connect(self, *address)
                                                       : Unsupported(EPROTONOSUPPORT);
  self->error = result.error;
  const auto& on_connect = self->adapter->options_.on_connect;
  if (on_connect) on_connect(self->easy, self->endpoint, result);
  if (!result.error.ok()) {
    // The newest libcurl takes the error's text from here.
    errno = result.error.error_number;
    return CURL_SOCKET_BAD;
  }
  return result.socket.Release();
}

ConnectResult CurlAdapter::Connect(Handle* handle, const curl_sockaddr& address) {
  const auto endpoint = Endpoint::FromSockaddr(&address.addr, address.addrlen);
  if (!endpoint.has_value()) return Unsupported(EAFNOSUPPORT);
  handle->endpoint = *endpoint;
  const auto transport = TransportOf(address);
  if (!transport.has_value()) return Unsupported(EPROTONOSUPPORT);
  ConnectRequest request;
  request.transport = *transport;
  request.mode = options_.mode;
  request.deadline_ms = static_cast<uint32_t>(
      std::clamp<int64_t>(options_.connect_deadline.count(), 1, kMaxDeadlineMs));
  request.endpoint = *endpoint;
  return client_->Connect(request);
}

int CurlAdapter::SetSocketOptions(void* handle, curl_socket_t /*socket*/,
                                  curlsocktype /*purpose*/) {
  return static_cast<Handle*>(handle)->adapter->sockopt_answer_;
}

int CurlAdapter::CloseSocket(void* adapter, curl_socket_t socket) {
  // The broker's duplicate of a handshake that goes on would keep it going after close(2) here.
  if (static_cast<CurlAdapter*>(adapter)->options_.mode == ConnectMode::kInProgress) {
    shutdown(socket, SHUT_RDWR);
  }
  return close(socket);
}

}  // namespace sockgate
