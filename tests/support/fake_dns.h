// FakeDns: a name server on 127.0.0.1, UDP and TCP on one port, that says what a test wants,
// however wrong.
//
// Threads: one of its own, in which the script runs; it waits there when the script does.

#ifndef SOCKGATE_TESTS_SUPPORT_FAKE_DNS_H_
#define SOCKGATE_TESTS_SUPPORT_FAKE_DNS_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proto/unique_fd.h"

namespace sockgate::testing {

inline constexpr uint16_t kClassInternet = 1;
inline constexpr uint16_t kClassChaos = 3;

inline constexpr uint16_t kTypeA = 1;
inline constexpr uint16_t kTypeNs = 2;
inline constexpr uint16_t kTypeCname = 5;
inline constexpr uint16_t kTypeSoa = 6;
inline constexpr uint16_t kTypeAaaa = 28;

inline constexpr uint16_t kNoError = 0;
inline constexpr uint16_t kServerFailure = 2;
inline constexpr uint16_t kNameError = 3;
inline constexpr uint16_t kRefused = 5;

struct DnsQuery {
  // As a resolver would send it, by UDP.
  static DnsQuery For(const std::string& name, uint16_t type);

  std::string bytes;     // as it came, without TCP's length
  std::string question;  // the bytes of its question section
  std::string name;      // "a.example"
  uint16_t type = 0;
  bool tcp = false;
  uint16_t source_port = 0;
};

// RFC 1035, section 4.1.
class DnsReply {
 public:
  explicit DnsReply(const DnsQuery& query, uint16_t rcode = kNoError);

  DnsReply& Truncated();
  DnsReply& WrongId();
  DnsReply& Question(const std::string& name, uint16_t type);
  // Of the records that follow; the Internet's before.
  DnsReply& Class(uint16_t record_class);
  DnsReply& A(const std::string& name, uint32_t ttl, const std::string& address);
  DnsReply& Aaaa(const std::string& name, uint32_t ttl, const std::string& address);
  DnsReply& Cname(const std::string& name, uint32_t ttl, const std::string& target);
  // In the authority section, so after all answers.
  DnsReply& Ns(const std::string& zone, uint32_t ttl, const std::string& server);
  DnsReply& Soa(const std::string& zone, uint32_t ttl, uint32_t minimum);

  std::string bytes() const;

 private:
  DnsReply& Record(const std::string& name, uint16_t type, uint32_t ttl, const std::string& data);

  uint16_t id_;
  uint16_t flags_;
  uint16_t class_ = kClassInternet;
  uint16_t answers_ = 0;
  uint16_t authorities_ = 0;
  std::string question_;
  std::string records_;
};

class FakeDns {
 public:
  // Returns the messages to send, in this order; none: silence.
  using Script = std::function<std::vector<std::string>(const DnsQuery&)>;

  // Binds; nothing is heard before Start(), so that the caller can fork in between.
  FakeDns();
  ~FakeDns();

  void Start(Script script);

  uint16_t port() const { return port_; }

  // What has been asked so far.
  std::vector<DnsQuery> queries() const;

 private:
  void Run();
  void OnDatagram();
  bool OnStream(int connection);
  std::vector<std::string> Hear(std::string bytes, bool tcp, uint16_t source_port);

  Script script_;
  uint16_t port_ = 0;
  UniqueFd udp_;
  UniqueFd listener_;
  UniqueFd stop_;
  std::vector<UniqueFd> connections_;
  mutable std::mutex mutex_;
  std::vector<DnsQuery> queries_;
  std::thread thread_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_FAKE_DNS_H_
