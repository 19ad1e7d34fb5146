// libc's own definitions of what the name shim interposes, and address lists as text.

#ifndef SOCKGATE_TESTS_CLIENT_LIBC_CALLS_H_
#define SOCKGATE_TESTS_CLIENT_LIBC_CALLS_H_

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "proto/ip_address.h"

namespace sockgate::testing {

// `name` as libc.so.6 defines it, whoever stands before it.
template <typename Function>
Function* FromLibc(const char* name) {
  static void* const libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return reinterpret_cast<Function*>(dlsym(libc, name));
}

inline std::string AddressText(const addrinfo& node) {
  if (node.ai_family == AF_INET && node.ai_addrlen == sizeof(sockaddr_in)) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(node.ai_addr);
    IpAddress::V4Bytes bytes;
    std::copy_n(reinterpret_cast<const uint8_t*>(&v4->sin_addr), bytes.size(), bytes.begin());
    return absl::StrCat(IpAddress::V4(bytes).ToString(), ":", ntohs(v4->sin_port));
  }
  if (node.ai_family != AF_INET6 || node.ai_addrlen != sizeof(sockaddr_in6)) return "?";
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(node.ai_addr);
  IpAddress::V6Bytes bytes;
  std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
  // An IpAddress folds a mapped address; the brackets stay.
  return absl::StrCat("[", IpAddress::V6(bytes).ToString(), "%", v6->sin6_scope_id,
                      "]:", ntohs(v6->sin6_port));
}

// "0 192.0.2.1:80/1/6 [2001:db8::1%0]:80/1/6 flags 2 canon a.test", or "-2".
inline std::string ListText(int code, const addrinfo* list) {
  std::string text = absl::StrCat(code);
  for (; code == 0 && list != nullptr; list = list->ai_next) {
    absl::StrAppend(&text, " ", AddressText(*list), "/", list->ai_socktype, "/", list->ai_protocol);
    if (list->ai_flags != 0) absl::StrAppend(&text, " flags ", list->ai_flags);
    if (list->ai_canonname != nullptr) absl::StrAppend(&text, " canon ", list->ai_canonname);
  }
  return text;
}

// One call, by whichever definition, freed by `release`.
inline std::string LookUpText(decltype(getaddrinfo)* look_up, decltype(freeaddrinfo)* release,
                              const char* node, const char* service, const addrinfo* hints) {
  addrinfo* list = nullptr;
  const int code = look_up(node, service, hints, &list);
  std::string text = ListText(code, list);
  if (code == 0) release(list);
  return text;
}

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_CLIENT_LIBC_CALLS_H_
