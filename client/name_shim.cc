#include "client/name_shim.h"

#include <dlfcn.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

#include "absl/strings/str_cat.h"
#include "client/address_list.h"
#include "client/armed_client.h"
#include "client/broker_descriptors.h"
#include "client/name_lookup.h"
#include "client/service_table.h"

// Otherwise a build with hidden visibility would keep the definitions to itself.
#define SOCKGATE_INTERPOSED extern "C" __attribute__((visibility("default")))

namespace sockgate {
namespace {

// The next definition after this library's, found once: dlsym(3) takes the loader's lock and may
// allocate, so not in a call that may come from anywhere.
template <typename Function>
class NextDefinition {
 public:
  explicit constexpr NextDefinition(const char* name) : name_(name) {}

  // Null in a wholly static program.
  Function* get() {
    Function* function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
      function_.store(function, std::memory_order_relaxed);
    }
    return function;
  }

 private:
  const char* const name_;
  std::atomic<Function*> function_ = nullptr;
};

NextDefinition<decltype(getaddrinfo)> g_next_getaddrinfo("getaddrinfo");
NextDefinition<decltype(freeaddrinfo)> g_next_freeaddrinfo("freeaddrinfo");
NextDefinition<decltype(connect)> g_next_connect("connect");
NextDefinition<decltype(socket)> g_next_socket("socket");

__attribute__((constructor)) void FindNextDefinitions() {
  g_next_getaddrinfo.get();
  g_next_freeaddrinfo.get();
  g_next_connect.get();
  g_next_socket.get();
}

const ServiceTable& Services() {
  // Never destroyed: resolver threads may outlive main().
  static const auto* const services = new ServiceTable(ServiceTable::OfSystem());
  return *services;
}

// The address of each is the question whether calls arrive here; libc would answer both at once and
// without effect.
constexpr char kProbeNode[] = "probe.invalid";
constexpr sockaddr kProbeAddress = {};
std::atomic<bool> g_node_arrived = false;
std::atomic<bool> g_address_arrived = false;

// Asks as another library's call would: by the first definition in the process.
bool CallsArriveHere() {
  const auto look_up = reinterpret_cast<decltype(getaddrinfo)*>(dlsym(RTLD_DEFAULT, "getaddrinfo"));
  const auto aim = reinterpret_cast<decltype(connect)*>(dlsym(RTLD_DEFAULT, "connect"));
  if (look_up == nullptr && aim == nullptr) return true;  // wholly static: there is no other
  if (look_up == nullptr || aim == nullptr) return false;
  g_node_arrived = false;
  g_address_arrived = false;
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* list = nullptr;
  const int saved = errno;
  if (look_up(kProbeNode, nullptr, &hints, &list) == 0) ::freeaddrinfo(list);
  aim(-1, &kProbeAddress, sizeof(kProbeAddress));
  errno = saved;
  return g_node_arrived && g_address_arrived;
}

bool IsIpv6Probe(int domain, int type, int protocol) {
  return domain == AF_INET6 && (type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) == SOCK_DGRAM &&
         protocol == 0;
}

int LibcSocket(int domain, int type, int protocol) {
  if (auto* const next = g_next_socket.get()) return next(domain, type, protocol);
  return static_cast<int>(syscall(SYS_socket, domain, type, protocol));
}

int LibcConnect(int fd, const sockaddr* address, socklen_t length) {
  if (auto* const next = g_next_connect.get()) return next(fd, address, length);
  return static_cast<int>(syscall(SYS_connect, fd, address, length));
}

int LibcGetaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** list) {
  if (auto* const next = g_next_getaddrinfo.get()) return next(node, service, hints, list);
  errno = ENOSYS;
  return EAI_SYSTEM;
}

}  // namespace

absl::Status ArmNameShim(BrokerClient* client) {
  if (client == nullptr) return absl::InvalidArgumentError("there is no client to arm with");
  if (!CallsArriveHere()) {
    return absl::FailedPreconditionError(
        "another library's getaddrinfo() or connect() does not reach sockgate's: link "
        "sockgate into the program itself (with -rdynamic where libcurl is loaded by dlopen), or "
        "put it first in LD_PRELOAD");
  }
  Services();
  if (ArmedClient::Arm(client)) return absl::OkStatus();
  return absl::FailedPreconditionError("the name shim is armed already");
}

void DisarmNameShim() { ArmedClient::Disarm(); }

}  // namespace sockgate

SOCKGATE_INTERPOSED int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                    addrinfo** list) {
  if (node == sockgate::kProbeNode) {
    sockgate::g_node_arrived = true;
    return EAI_NONAME;
  }
  const sockgate::ArmedClient armed;
  if (armed.get() == nullptr) return sockgate::LibcGetaddrinfo(node, service, hints, list);
  try {
    return sockgate::LookUp(*armed.get(), sockgate::Services(), node, service, hints, list);
  } catch (const std::bad_alloc&) {  // the caller is C
    return EAI_MEMORY;
  }
}

SOCKGATE_INTERPOSED void freeaddrinfo(addrinfo* list) noexcept {
  auto* const next = sockgate::g_next_freeaddrinfo.get();
  next != nullptr ? next(list) : sockgate::FreeAddressList(list);
}

SOCKGATE_INTERPOSED int connect(int fd, const sockaddr* address, socklen_t length) {
  if (address == &sockgate::kProbeAddress) {
    sockgate::g_address_arrived = true;
    errno = EBADF;
    return -1;
  }
  using sockgate::ConnectAnswer;
  const ConnectAnswer answer = sockgate::ArmedClient::armed()
                                   ? sockgate::TakeBrokerDescriptor(fd, address, length)
                                   : ConnectAnswer::kNone;
  if (answer == ConnectAnswer::kNone) return sockgate::LibcConnect(fd, address, length);
  if (answer == ConnectAnswer::kConnected) return 0;
  errno = EINPROGRESS;
  return -1;
}

SOCKGATE_INTERPOSED int socket(int domain, int type, int protocol) noexcept {
  const int fd = sockgate::LibcSocket(domain, type, protocol);
  const int error = errno;
  if (fd >= 0 || (error != EACCES && error != EPERM)) return fd;
  if (!sockgate::IsIpv6Probe(domain, type, protocol) || !sockgate::ArmedClient::armed()) return fd;
  const int stand_in = eventfd(0, EFD_CLOEXEC);
  if (stand_in < 0) errno = error;
  return stand_in;
}
