#include "client/curl_adapter.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/armed_client.h"
#include "client/broker_descriptors.h"
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

bool IsLocalhost(absl::string_view name) {
  absl::ConsumeSuffix(&name, ".");
  return absl::EqualsIgnoreCase(name, "localhost") || absl::EndsWithIgnoreCase(name, ".localhost");
}

ConnectResult Unsupported(int error_number) {
  ConnectResult result;
  result.error = ConnectError::Local(Kind::kUnsupported, error_number);
  return result;
}

// The name, if the transfer goes to this host by one that libcurl does not ask for.
std::optional<std::string> LocalhostOf(CURL* easy) {
  const char* url = nullptr;
  curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
  const auto host = url == nullptr ? std::nullopt : HostOfUrl(url);
  if (!host.has_value() || !IsLocalhost(host->name)) return std::nullopt;
  return host->name;
}

}  // namespace

std::string AheadResult::ToString() const {
  return absl::StrCat(error.ToString(),
                      other_hosts ? "" : "; redirects to other hosts will not resolve");
}

bool LooksUpByGetaddrinfo(const curl_version_info_data& libcurl) {
  if (libcurl.ares == nullptr) return true;
  // `feature_names` came with 7.87, the eleventh form of this struct.
  if (libcurl.age < CURLVERSION_ELEVENTH) return false;
  for (const char* const* name = libcurl.feature_names; name != nullptr && *name != nullptr;
       ++name) {
    if (absl::string_view(*name) == "asyn-rr") return true;
  }
  return false;
}

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
  if (sockopt_answer_ == CURL_SOCKOPT_OK && !UsesShim() && !launch::ConnectAnswersInProgress()) {
    return absl::FailedPreconditionError(
        "connect(2) reaches the kernel here, and this mode or this libcurl needs it answered: "
        "arm the name shim (ArmNameShim), or confine the process first (launch::Worker, or "
        "launch::Confine with the fetcher profile)");
  }
  Handle* handle;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unique_ptr<Handle>& slot = handles_[easy];
    if (slot == nullptr) slot = std::make_unique<Handle>();
    // Anew each time: another handle may have had this address before. libcurl may still have the
    // list.
    auto ahead = std::move(slot->ahead);
    client_->Release(slot->ticket);
    *slot = Handle();
    slot->adapter = this;
    slot->easy = easy;
    slot->ahead = std::move(ahead);
    handle = slot.get();
  }
  SetCallbacks(easy, handle);
  return absl::OkStatus();
}

void CurlAdapter::SetCallbacks(CURL* easy, Handle* handle) {
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
  if (!options_.names) return;
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, &CurlAdapter::StartLookup);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, handle);
}

void CurlAdapter::Detach(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, nullptr);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, nullptr);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, nullptr);
  if (options_.names) curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, nullptr);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = handles_.find(easy);
  if (found == handles_.end()) return;
  if (found->second->ahead != nullptr) curl_easy_setopt(easy, CURLOPT_RESOLVE, nullptr);
  client_->Release(found->second->ticket);
  handles_.erase(found);
}

bool CurlAdapter::UsesShim() const { return options_.names && ArmedClient::armed(); }

AheadResult CurlAdapter::ResolveAhead(CURL* easy, const std::string& url) {
  AheadResult result;
  result.other_hosts = UsesShim() && LooksUpByGetaddrinfo(*curl_version_info(CURLVERSION_NOW));
  const auto host = HostOfUrl(url);
  curl_slist* list = nullptr;
  if (host.has_value() && !host->is_literal) {
    const ResolveResult resolved = client_->Resolve(host->name, NameFamily::kAny);
    result.error = resolved.error;
    if (resolved.error.ok()) {
      list = curl_slist_append(nullptr, ResolveEntry(*host, resolved.addresses).c_str());
    }
  }
  if (!GiveAhead(easy, list)) result.error = ConnectError::Local(Kind::kBadRequest, EINVAL);
  return result;
}

bool CurlAdapter::GiveAhead(CURL* easy, curl_slist* list) {
  Handle::List ahead(list, curl_slist_free_all);
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = handles_.find(easy);
  if (found == handles_.end()) return false;
  // A list of the program's own stays where there is nothing to put in its place.
  if (ahead == nullptr && found->second->ahead == nullptr) return true;
  curl_easy_setopt(easy, CURLOPT_RESOLVE, list);
  found->second->ahead = std::move(ahead);
  return true;
}

void CurlAdapter::Prepare(CURL* easy, const std::string& url) {
  const auto host = HostOfUrl(url);
  if (!host.has_value()) return;
  if (easy != nullptr) GiveTicket(easy, 0);
  const auto target = TargetOf(*host);
  const uint64_t ticket = target.has_value() ? client_->Prepare(*target) : 0;
  if (easy == nullptr || !GiveTicket(easy, ticket)) client_->Release(ticket);
}

size_t CurlAdapter::Preconnect(const std::string& host, uint16_t port, size_t count) {
  const auto parsed = HostOfUrl(absl::StrCat("http://", host, ":", port));
  return parsed.has_value() ? Keep(*parsed, count) : 0;
}

size_t CurlAdapter::Keep(const UrlHost& host, size_t count) {
  const auto target = TargetOf(host);
  return target.has_value() ? client_->Preconnect(*target, count) : 0;
}

std::optional<AheadTarget> CurlAdapter::TargetOf(const UrlHost& host) const {
  const auto endpoint = EndpointOf(host);
  if (!endpoint.has_value()) return std::nullopt;
  AheadTarget target;
  target.request = RequestFor(Transport::kStream, *endpoint);
  if (!host.is_literal) target.name = host.name;
  return target;
}

bool CurlAdapter::GiveTicket(CURL* easy, uint64_t ticket) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = handles_.find(easy);
  if (found == handles_.end()) return false;
  client_->Release(std::exchange(found->second->ticket, ticket));
  return true;
}

std::optional<FailedLookup> CurlAdapter::LastLookup(CURL* easy, CURLcode code) const {
  uint64_t after;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = handles_.find(easy);
    if (found == handles_.end() || !found->second->looking_up) return std::nullopt;
    after = found->second->failures_before;
  }
  // libcurl does not tell a proxy's name.
  if (code == CURLE_COULDNT_RESOLVE_PROXY) return FindFailedLookup("", after);
  const char* url = nullptr;
  curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
  const auto host = url == nullptr ? std::nullopt : HostOfUrl(url);
  return host.has_value() ? FindFailedLookup(host->name, after) : std::nullopt;
}

ConnectError CurlAdapter::LastError(CURL* easy, CURLcode code) const {
  if (const auto lookup = LastLookup(easy, code)) return lookup->error;
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
    return ExplainLookup(easy, code);
  }
  return curl_easy_strerror(code);
}

std::string CurlAdapter::ExplainLookup(CURL* easy, CURLcode code) const {
  if (const auto lookup = LastLookup(easy, code)) {
    return absl::StrCat(lookup->name, ": ", lookup->error.ToString());
  }
  absl::string_view advice;
  if (!LooksUpByGetaddrinfo(*curl_version_info(CURLVERSION_NOW))) {
    advice =
        ": this libcurl is built on c-ares and cannot resolve through the broker; give each "
        "host to ResolveAhead(), or its address with CURLOPT_RESOLVE";
  } else if (!UsesShim()) {
    advice =
        ": a confined worker cannot look names up, by DNS or (if CURLOPT_DOH_URL was set after "
        "Attach) by HTTPS; arm the name shim (ArmNameShim), or give the address of every host "
        "beforehand with CURLOPT_RESOLVE";
  }
  return absl::StrCat(curl_easy_strerror(code), advice);
}

int CurlAdapter::StartLookup(void* /*resolver*/, void* /*reserved*/, void* handle) {
  auto* self = static_cast<Handle*>(handle);
  self->error = ConnectError();
  self->looking_up = true;
  self->failures_before = LastFailedLookup();
  return 0;
}

// libcurl knows the addresses of localhost (RFC 6761) and asks nobody, so the broker would not know
// which name led there. The error, if a rule denies that name, whatever allows the address. Any other
// answer does not matter here: the broker judges the address next.
ConnectError CurlAdapter::TellLocalhost(const Handle& handle) const {
  const auto name = LocalhostOf(handle.easy);
  if (!name.has_value()) return ConnectError();
  const ConnectError error = client_->NoteLocalhost(*name);
  const bool denied = error.kind == Kind::kDenied && error.reason == Reason::kDenyRule;
  return denied ? error : ConnectError();
}

curl_socket_t CurlAdapter::OpenSocket(void* handle, curlsocktype purpose, curl_sockaddr* address) {
  auto* self = static_cast<Handle*>(handle);
  ConnectResult result = purpose == CURLSOCKTYPE_IPCXN ? self->adapter->Connect(self, *address)
                                                       : Unsupported(EPROTONOSUPPORT);
  self->adapter->PrepareConnect(*address, &result);
  self->error = result.error;
  self->looking_up = false;
  const auto& on_connect = self->adapter->options_.on_connect;
  if (on_connect) on_connect(self->easy, self->endpoint, result);
  if (!result.error.ok()) {
    // The newest libcurl takes the error's text from here.
    errno = result.error.error_number;
    return CURL_SOCKET_BAD;
  }
  return result.socket.Release();
}

// Where libcurl will call connect(2), for that one call; and where CloseSocket() must know that the
// socket is tracked.
void CurlAdapter::PrepareConnect(const curl_sockaddr& address, ConnectResult* result) const {
  if (!result->error.ok()) return;
  auto answer = ConnectAnswer::kNone;
  if (sockopt_answer_ == CURL_SOCKOPT_OK && UsesShim()) {
    answer = result->started ? ConnectAnswer::kInProgress : ConnectAnswer::kConnected;
  }
  if (answer == ConnectAnswer::kNone && !result->tracked) return;
  const int socket = result->socket.get();
  if (EnterBrokerDescriptor(socket, &address.addr, address.addrlen, answer, result->tracked)) {
    return;
  }
  if (result->tracked) shutdown(socket, SHUT_RDWR);
  result->socket.Reset();
  result->error = ConnectError::Local(Kind::kTableFull, EMFILE);
}

ConnectResult CurlAdapter::Connect(Handle* handle, const curl_sockaddr& address) {
  const auto endpoint = Endpoint::FromSockaddr(&address.addr, address.addrlen);
  if (!endpoint.has_value()) return Unsupported(EAFNOSUPPORT);
  handle->endpoint = *endpoint;
  const auto transport = TransportOf(address);
  if (!transport.has_value()) return Unsupported(EPROTONOSUPPORT);
  // For every address of the name, of which libcurl tries one after another.
  if (handle->looking_up) handle->denied = TellLocalhost(*handle);
  if (!handle->denied.ok() && LocalhostOf(handle->easy).has_value()) {
    ConnectResult denied;
    denied.error = handle->denied;
    return denied;
  }
  return client_->Connect(RequestFor(*transport, *endpoint));
}

ConnectRequest CurlAdapter::RequestFor(Transport transport, const Endpoint& endpoint) const {
  ConnectRequest request;
  request.transport = transport;
  request.mode = options_.mode;
  request.deadline_ms = static_cast<uint32_t>(
      std::clamp<int64_t>(options_.connect_deadline.count(), 1, kMaxDeadlineMs));
  request.endpoint = endpoint;
  return request;
}

int CurlAdapter::SetSocketOptions(void* handle, curl_socket_t /*socket*/,
                                  curlsocktype /*purpose*/) {
  return static_cast<Handle*>(handle)->adapter->sockopt_answer_;
}

int CurlAdapter::CloseSocket(void* adapter, curl_socket_t socket) {
  const bool tracked = RemoveBrokerDescriptor(socket);  // before another thread may get the number
  // The broker's duplicate of a handshake that goes on, or of a tracked connection, would keep it
  // going after close(2) here.
  if (tracked || static_cast<CurlAdapter*>(adapter)->options_.mode == ConnectMode::kInProgress) {
    shutdown(socket, SHUT_RDWR);
  }
  return close(socket);
}

}  // namespace sockgate
