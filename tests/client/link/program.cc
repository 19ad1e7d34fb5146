// The program that every way of linking makes: says what a lookup, libcurl's and its own, comes to
// before arming, while armed and afterwards.
//
// PRELOADED: sockgate is not linked, LD_PRELOAD brings it. LOADED: dlopen(3) of argv[1] does.

#include <curl/curl.h>
#include <dlfcn.h>
#include <netdb.h>

#include <cstdio>

#include "tests/client/link/arming.h"

#ifdef PRELOADED
#pragma weak LinkTestArm
#pragma weak LinkTestDisarm
#pragma weak LinkTestAsked
#endif

namespace {

struct Arming {
  decltype(LinkTestArm)* arm;
  decltype(LinkTestDisarm)* disarm;
  decltype(LinkTestAsked)* asked;
};

#ifdef LOADED
Arming FindArming(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {nullptr, nullptr, nullptr};
  return {reinterpret_cast<decltype(LinkTestArm)*>(dlsym(library, "LinkTestArm")),
          reinterpret_cast<decltype(LinkTestDisarm)*>(dlsym(library, "LinkTestDisarm")),
          reinterpret_cast<decltype(LinkTestAsked)*>(dlsym(library, "LinkTestAsked"))};
}
#else
Arming FindArming(const char* /*path*/) { return {&LinkTestArm, &LinkTestDisarm, &LinkTestAsked}; }
#endif

// Nobody listens on port 1, so a name with an address ends with CURLE_COULDNT_CONNECT (7), one
// without with CURLE_COULDNT_RESOLVE_HOST (6).
int Fetch(const char* url) {
  CURL* const easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 10000L);
  const CURLcode code = curl_easy_perform(easy);
  curl_easy_cleanup(easy);
  return code;
}

// localhost is in every hosts file, and the broker does not know it.
int LookUpLocalhost() {
  addrinfo* list = nullptr;
  const int code = getaddrinfo("localhost", "80", nullptr, &list);
  if (code == 0) freeaddrinfo(list);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  const Arming arming = FindArming(argc > 1 ? argv[1] : "");
  if (arming.arm == nullptr) {
    std::puts("no sockgate");
    return 1;
  }
  curl_global_init(CURL_GLOBAL_DEFAULT);
  std::printf("unarmed: fetch %d localhost %d asked %d\n", Fetch("http://127.0.0.1:1/"),
              LookUpLocalhost(), arming.asked());
  if (const char* problem = arming.arm()) {
    std::printf("not armed: %.20s\n", problem);
    return 0;
  }
  const int known = Fetch("http://a.test:1/");
  const int unknown = Fetch("http://b.test:1/");
  const int localhost = LookUpLocalhost();
  std::printf("armed: fetch %d %d localhost %d asked %d\n", known, unknown, localhost,
              arming.asked());
  arming.disarm();
  std::printf("disarmed: localhost %d asked %d\n", LookUpLocalhost(), arming.asked());
  return 0;
}
