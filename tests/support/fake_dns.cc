#include "tests/support/fake_dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "proto/check.h"

namespace sockgate::testing {
namespace {

constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxMessage = 65535;

std::string U16(uint32_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string U32(uint32_t value) { return U16(value >> 16) + U16(value & 0xffff); }

uint16_t ReadU16(const std::string& bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes.at(at)) << 8 |
                               static_cast<uint8_t>(bytes.at(at + 1)));
}

std::string NameBytes(const std::string& name) {
  std::string bytes;
  for (size_t at = 0; at < name.size();) {
    const size_t dot = std::min(name.find('.', at), name.size());
    bytes += static_cast<char>(dot - at);
    bytes += name.substr(at, dot - at);
    at = dot + 1;
  }
  return bytes + '\0';
}

std::string AddressBytes(int family, const std::string& text) {
  std::string bytes(family == AF_INET ? 4 : 16, '\0');
  SOCKGATE_CHECK(inet_pton(family, text.c_str(), bytes.data()) == 1);
  return bytes;
}

DnsQuery Parse(std::string bytes) {
  DnsQuery query;
  size_t at = kHeaderSize;
  while (bytes.at(at) != 0) {
    const auto size = static_cast<uint8_t>(bytes[at]);
    if (!query.name.empty()) query.name += '.';
    query.name += bytes.substr(at + 1, size);
    at += 1 + size;
  }
  query.type = ReadU16(bytes, at + 1);
  query.question = bytes.substr(kHeaderSize, at + 5 - kHeaderSize);
  query.bytes = std::move(bytes);
  return query;
}

// A socket on 127.0.0.1 with this port, 0 for any.
UniqueFd Bind(int type, uint16_t port) {
  UniqueFd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) fd.Reset();
  return fd;
}

uint16_t PortOf(int fd) {
  sockaddr_in address = {};
  socklen_t length = sizeof(address);
  SOCKGATE_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return ntohs(address.sin_port);
}

void SendAll(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t size = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (size <= 0) return;
    sent += static_cast<size_t>(size);
  }
}

}  // namespace

DnsQuery DnsQuery::For(const std::string& name, uint16_t type) {
  const std::string header = U16(0x1234) + U16(0x0100) + U16(1) + U16(0) + U16(0) + U16(0);
  return Parse(header + NameBytes(name) + U16(type) + U16(kClassInternet));
}

DnsReply::DnsReply(const DnsQuery& query, uint16_t rcode)
    : id_(ReadU16(query.bytes, 0)),
      flags_(static_cast<uint16_t>(0x8180 | rcode)),  // a response, recursion desired and available
      question_(query.question) {}

DnsReply& DnsReply::Truncated() {
  flags_ |= 0x0200;
  return *this;
}

DnsReply& DnsReply::WrongId() {
  ++id_;
  return *this;
}

DnsReply& DnsReply::Question(const std::string& name, uint16_t type) {
  question_ = NameBytes(name) + U16(type) + U16(kClassInternet);
  return *this;
}

DnsReply& DnsReply::Class(uint16_t record_class) {
  class_ = record_class;
  return *this;
}

DnsReply& DnsReply::Record(const std::string& name, uint16_t type, uint32_t ttl,
                           const std::string& data) {
  const auto size = static_cast<uint32_t>(data.size());
  records_ += NameBytes(name) + U16(type) + U16(class_) + U32(ttl) + U16(size) + data;
  return *this;
}

DnsReply& DnsReply::A(const std::string& name, uint32_t ttl, const std::string& address) {
  ++answers_;
  return Record(name, kTypeA, ttl, AddressBytes(AF_INET, address));
}

DnsReply& DnsReply::Aaaa(const std::string& name, uint32_t ttl, const std::string& address) {
  ++answers_;
  return Record(name, kTypeAaaa, ttl, AddressBytes(AF_INET6, address));
}

DnsReply& DnsReply::Cname(const std::string& name, uint32_t ttl, const std::string& target) {
  ++answers_;
  return Record(name, kTypeCname, ttl, NameBytes(target));
}

DnsReply& DnsReply::Ns(const std::string& zone, uint32_t ttl, const std::string& server) {
  ++authorities_;
  return Record(zone, kTypeNs, ttl, NameBytes(server));
}

DnsReply& DnsReply::Soa(const std::string& zone, uint32_t ttl, uint32_t minimum) {
  ++authorities_;
  return Record(zone, kTypeSoa, ttl,
                NameBytes("ns." + zone) + NameBytes("admin." + zone) + U32(1) + U32(3600) +
                    U32(600) + U32(86400) + U32(minimum));
}

std::string DnsReply::bytes() const {
  return U16(id_) + U16(flags_) + U16(1) + U16(answers_) + U16(authorities_) + U16(0) + question_ +
         records_;
}

FakeDns::FakeDns() : stop_(eventfd(0, EFD_CLOEXEC)) {
  // The kernel's choice for one transport may be taken for the other.
  while (!listener_.valid()) {
    udp_ = Bind(SOCK_DGRAM, 0);
    SOCKGATE_CHECK(udp_.valid());
    port_ = PortOf(udp_.get());
    listener_ = Bind(SOCK_STREAM, port_);
  }
  SOCKGATE_CHECK(listen(listener_.get(), 64) == 0);
}

FakeDns::~FakeDns() {
  SOCKGATE_CHECK(eventfd_write(stop_.get(), 1) == 0);
  if (thread_.joinable()) thread_.join();
}

void FakeDns::Start(Script script) {
  script_ = std::move(script);
  thread_ = std::thread([this] { Run(); });
}

std::vector<DnsQuery> FakeDns::queries() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return queries_;
}

void FakeDns::Run() {
  while (true) {
    std::vector<pollfd> watched = {
        {stop_.get(), POLLIN, 0}, {udp_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
    for (const UniqueFd& connection : connections_)
      watched.push_back({connection.get(), POLLIN, 0});
    SOCKGATE_CHECK(poll(watched.data(), watched.size(), -1) > 0);
    if (watched[0].revents != 0) return;
    if (watched[1].revents != 0) OnDatagram();
    for (size_t i = watched.size() - 1; i > 2; --i) {
      if (watched[i].revents != 0 && !OnStream(watched[i].fd)) {
        connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i - 3));
      }
    }
    if (watched[2].revents != 0) {
      connections_.emplace_back(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
  }
}

void FakeDns::OnDatagram() {
  std::string bytes(kMaxMessage, '\0');
  sockaddr_in from = {};
  socklen_t length = sizeof(from);
  auto* const address = reinterpret_cast<sockaddr*>(&from);
  const ssize_t size = recvfrom(udp_.get(), bytes.data(), bytes.size(), 0, address, &length);
  if (size < static_cast<ssize_t>(kHeaderSize)) return;
  bytes.resize(static_cast<size_t>(size));
  for (const std::string& reply : Hear(std::move(bytes), false, ntohs(from.sin_port))) {
    sendto(udp_.get(), reply.data(), reply.size(), 0, address, length);
  }
}

// False at its end.
bool FakeDns::OnStream(int connection) {
  std::string length(2, '\0');
  if (recv(connection, length.data(), length.size(), MSG_WAITALL) != 2) return false;
  std::string bytes(ReadU16(length, 0), '\0');
  const ssize_t size = recv(connection, bytes.data(), bytes.size(), MSG_WAITALL);
  if (size < static_cast<ssize_t>(kHeaderSize)) return false;
  for (const std::string& reply : Hear(std::move(bytes), true, 0)) {
    SendAll(connection, U16(static_cast<uint32_t>(reply.size())) + reply);
  }
  return true;
}

std::vector<std::string> FakeDns::Hear(std::string bytes, bool tcp, uint16_t source_port) {
  DnsQuery query = Parse(std::move(bytes));
  query.tcp = tcp;
  query.source_port = source_port;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queries_.push_back(query);
  }
  return script_(query);
}

}  // namespace sockgate::testing
