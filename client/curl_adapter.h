// CurlAdapter: makes libcurl take its sockets from the broker.
//
// Usage:
//   sockgate::CurlAdapter adapter(client.get(), {});
//   absl::Status attached = adapter.Attach(easy);       // then curl_easy_perform(easy) as ever
//   if (rc != CURLE_OK) puts(adapter.Explain(easy, rc).c_str());
//
// Process: worker, confined.
// Ownership: the adapter owns neither client nor handles. It must outlive every attached handle and
// every multi or share handle with connections of theirs, because libcurl keeps connections for
// reuse and calls back when it closes them. The client must outlive the adapter.
// Threads: members from any thread, for different handles at the same time; for one handle only
// while no other thread performs its transfer. Callbacks run in the thread that performs it.
// Blocking: the callback blocks that thread: in connected mode until the handshake has ended, in
// in-progress mode for one local round trip; and for neither where Prepare() was called early
// enough. So use in-progress mode with curl_multi.
//
// Who answers connect(2). libcurl calls it on the socket that it was given: in in-progress mode
// always, and in connected mode where it ignores CURL_SOCKOPT_ALREADY_CONNECTED (7.88.0 and 7.88.1,
// Debian 12's). The name shim (name_shim.h) answers it for the broker's sockets, and the fetcher
// profile (launch/) with EINPROGRESS. Attach() fails where an answer is needed and the process has
// none.
//
// Names. With the name shim armed, all that libcurl looks up goes through the broker. A libcurl
// built on c-ares does not call getaddrinfo(3), so there, and without the shim, only hosts given to
// ResolveAhead() have addresses. libcurl asks nobody about localhost; the adapter has the broker
// look it up all the same, so that a rule that allows the name holds. One that denies it does not
// keep a worker from the address that another rule allows. International names libcurl reads by the
// program's locale: call setlocale(3) before confinement.
//
// Sources: CURLOPT_OPENSOCKETFUNCTION(3), CURLOPT_SOCKOPTFUNCTION(3),
// CURLOPT_CLOSESOCKETFUNCTION(3), CURLOPT_RESOLVER_START_FUNCTION(3), CURLOPT_RESOLVE(3).

#ifndef SOCKGATE_CLIENT_CURL_ADAPTER_H_
#define SOCKGATE_CLIENT_CURL_ADAPTER_H_

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "client/broker_client.h"
#include "client/connect_error.h"
#include "client/lookup_log.h"
#include "client/url_host.h"
#include "proto/endpoint.h"
#include "proto/messages.h"

namespace sockgate {

struct CurlAdapterOptions {
  ConnectMode mode = ConnectMode::kConnected;

  // How long the broker may spend on one handshake, at most kMaxDeadlineMs. In in-progress mode
  // libcurl's own CURLOPT_CONNECTTIMEOUT holds as well, and this should be no shorter. libcurl 7.88
  // does not say when it gives one address up for another (Happy Eyeballs), so for that one the
  // broker goes on until this deadline.
  std::chrono::milliseconds connect_deadline = std::chrono::seconds(30);

  // Called in the performing thread for every socket that libcurl asked for, after the broker's
  // answer. It is called from C code, so it must not throw.
  std::function<void(CURL*, const Endpoint&, const ConnectResult&)> on_connect;

  // Use the name shim if it is armed: for connect(2), and to say why a name has no address.
  bool names = true;
};

// What ResolveAhead() did.
struct AheadResult {
  ConnectError error;        // why the host has no address; ok() also where there is nothing to do
  bool other_hosts = false;  // whether redirects to other hosts, and proxies, will resolve too

  // "no error; redirects to other hosts will not resolve"
  std::string ToString() const;
};

class CurlAdapter {
 public:
  CurlAdapter(BrokerClient* client, CurlAdapterOptions options);
  ~CurlAdapter();
  CurlAdapter(const CurlAdapter&) = delete;
  CurlAdapter& operator=(const CurlAdapter&) = delete;

  // Sets the opensocket, sockopt and closesocket callbacks, forgets the last error, and takes away
  // what cannot work with a broker's socket or would go around it: CURLOPT_DOH_URL,
  // CURLOPT_INTERFACE, CURLOPT_LOCALPORT and CURLOPT_TCP_FASTOPEN. libcurl cannot be asked whether
  // they were set. With `names` it also takes CURLOPT_RESOLVER_START_FUNCTION for itself.
  // Do not set them afterwards: with the second and third a transfer fails with
  // CURLE_INTERFACE_FAILED; lookups by HTTPS do not use these callbacks, so they fail under the
  // fetcher profile and go around the broker in a process without it.
  // Call it again after curl_easy_reset(), and for the copy that curl_easy_duphandle() makes.
  // FailedPrecondition: connect(2) would have to be answered and is not (see above).
  absl::Status Attach(CURL* easy);

  // Gives the handle libcurl's own callbacks back and forgets it. Call it before
  // curl_easy_cleanup(); otherwise what is remembered of the handle stays until the adapter ends.
  void Detach(CURL* easy);

  // Asks the broker for the addresses of the URL's host, in this thread, and gives them to the
  // handle's next transfer by CURLOPT_RESOLVE (which holds this one entry afterwards), so that
  // libcurl starts no resolver thread. One local round trip where the broker knows the name; see
  // BrokerClient::Resolve(). Nothing to do for a literal, or for a URL that libcurl will refuse. A
  // transfer through a proxy looks up the proxy: then give the proxy's URL here. The handle must be
  // attached, otherwise the error is kBadRequest. The caller sets CURLOPT_URL. The copy that
  // curl_easy_duphandle() makes has the entry until the next call or Detach() for the original, so
  // call this for the copy too. It has no effect with a CURLOPT_DNS_CACHE_TIMEOUT of 0. In a
  // curl_multi the other transfers stand still meanwhile: with a name server far away leave it be.
  AheadResult ResolveAhead(CURL* easy, const std::string& url);

  // Asks the broker for what the transfer of this URL will need, a name's address and a socket, and
  // does not wait for it: call it when the transfer is known to come, before it is added or
  // performed, and for a transfer through a proxy with the proxy's URL. With libcurl's callback the
  // socket is there, or its handshake is under way. Nothing is lost by it but a connection where
  // libcurl then needs none, as it has one open, or tries another address first: that one goes to
  // the next transfer that is prepared for the same place, or is closed after four seconds
  // (BrokerClient::Prepare(), which says what it costs and how it fails). An attached handle holds
  // it until Detach(), Attach() or another Prepare(). Null: for whichever transfer comes first.
  void Prepare(CURL* easy, const std::string& url);

  // Has so many sockets kept ready for a host (as in a URL) and port, and returns how many are there
  // or under way. Call it again when they are used, or old.
  size_t Preconnect(const std::string& host, uint16_t port, size_t count);

  // Why the broker's side gave no socket at the handle's last attempt to connect, or no address
  // when the last attempt did not come so far; ok() when it gave one. `code` is how the transfer
  // ended: with CURLE_COULDNT_RESOLVE_PROXY it is about the proxy. libcurl does not tell that one's
  // name, so then it is the last lookup that failed in this process, which with several transfers
  // at a time may be another one's.
  ConnectError LastError(CURL* easy, CURLcode code = CURLE_OK) const;

  // One line about a transfer that ended with `code`, with the rule and reason of a denial.
  std::string Explain(CURL* easy, CURLcode code) const;

 private:
  // What libcurl's callbacks get of one handle. Its address is fixed for as long as the handle is
  // attached.
  struct Handle {
    using List = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

    CurlAdapter* adapter = nullptr;
    CURL* easy = nullptr;
    Endpoint endpoint;    // of the last attempt
    ConnectError error;   // of the last attempt
    ConnectError denied;  // by a rule on localhost, when a lookup last began
    // A lookup has begun and no socket was asked for since; it failed if the log has a failure of
    // the name beyond this number.
    bool looking_up = false;
    uint64_t failures_before = 0;
    // What CURLOPT_RESOLVE points to, if ResolveAhead() set it.
    List ahead{nullptr, curl_slist_free_all};
    uint64_t ticket = 0;  // of the socket that Prepare() asked for
  };

  // Null takes the entry of the last call away. False: the handle is not attached.
  bool GiveAhead(CURL* easy, curl_slist* list);
  static int StartLookup(void* resolver, void* reserved, void* handle);
  static curl_socket_t OpenSocket(void* handle, curlsocktype purpose, curl_sockaddr* address);
  static int SetSocketOptions(void* handle, curl_socket_t socket, curlsocktype purpose);
  static int CloseSocket(void* adapter, curl_socket_t socket);

  void SetCallbacks(CURL* easy, Handle* handle);
  ConnectError TellLocalhost(const Handle& handle) const;
  ConnectRequest RequestFor(Transport transport, const Endpoint& endpoint) const;
  // Views into `host`.
  std::optional<AheadTarget> TargetOf(const UrlHost& host) const;
  size_t Keep(const UrlHost& host, size_t count);
  // False: the handle is not attached. Releases the ticket that it had.
  bool GiveTicket(CURL* easy, uint64_t ticket);
  ConnectResult Connect(Handle* handle, const curl_sockaddr& address);
  void PrepareConnect(const curl_sockaddr& address, ConnectResult* result) const;
  std::optional<FailedLookup> LastLookup(CURL* easy, CURLcode code) const;
  std::string ExplainLookup(CURL* easy, CURLcode code) const;
  bool UsesShim() const;

  BrokerClient* const client_;
  const CurlAdapterOptions options_;
  // CURL_SOCKOPT_ALREADY_CONNECTED where this libcurl and mode honour it, else CURL_SOCKOPT_OK.
  const int sockopt_answer_;

  mutable std::mutex mutex_;
  absl::flat_hash_map<CURL*, std::unique_ptr<Handle>> handles_;  // guarded by mutex_
};

// CURL_SOCKOPT_OK or CURL_SOCKOPT_ALREADY_CONNECTED: what the sockopt callback must answer in this
// mode for a libcurl with this CURL_VERSION_BITS number.
int SockoptAnswer(ConnectMode mode, unsigned version_num);

// Whether this libcurl looks names up by getaddrinfo(3), which the name shim can take over. One
// that is built on c-ares does not, unless it uses it for HTTPS records only ("asyn-rr").
bool LooksUpByGetaddrinfo(const curl_version_info_data& libcurl);

}  // namespace sockgate

#endif  // SOCKGATE_CLIENT_CURL_ADAPTER_H_
