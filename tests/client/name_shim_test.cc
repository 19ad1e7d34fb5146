// The four interposed functions, against a broker that resolves from a table, and side by side with
// libc's own where no lookup is needed.

#include "client/name_shim.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "client/broker_descriptors.h"
#include "client/lookup_log.h"
#include "proto/unique_fd.h"
#include "tests/client/fake_resolver.h"
#include "tests/client/launch/forked.h"
#include "tests/client/libc_calls.h"

namespace sockgate {
namespace {

using testing::Addresses;
using testing::Failure;
using testing::FromLibc;
using testing::Refusal;

struct Call {
  const char* node;
  const char* service;
  int flags = 0;
  int family = AF_UNSPEC;
  int socktype = SOCK_STREAM;
  int protocol = 0;
};

std::string Text(decltype(getaddrinfo)* look_up, decltype(freeaddrinfo)* release,
                 const Call& call) {
  addrinfo hints = {};
  hints.ai_flags = call.flags;
  hints.ai_family = call.family;
  hints.ai_socktype = call.socktype;
  hints.ai_protocol = call.protocol;
  return testing::LookUpText(look_up, release, call.node, call.service, &hints);
}

std::string Shim(const Call& call) { return Text(&getaddrinfo, &freeaddrinfo, call); }

std::string Libc(const Call& call) {
  return Text(FromLibc<decltype(getaddrinfo)>("getaddrinfo"),
              FromLibc<decltype(freeaddrinfo)>("freeaddrinfo"), call);
}

class NameShimTest : public ::testing::Test {
 protected:
  ~NameShimTest() override { DisarmNameShim(); }

  void Arm() {
    broker_.Start();
    client_ = *BrokerClient::FromDescriptor(broker_.TakeWorkerEnd());
    const absl::Status armed = ArmNameShim(client_.get());
    ASSERT_TRUE(armed.ok()) << armed;
  }

  testing::FakeResolver broker_;
  std::unique_ptr<BrokerClient> client_;
};

const Call kSameAsLibc[] = {
    // Kinds of socket.
    {"127.0.0.1", "80", 0, AF_UNSPEC, 0},
    {"127.0.0.1", nullptr, 0, AF_UNSPEC, 0},
    {"127.0.0.1", nullptr, 0, AF_UNSPEC, SOCK_RAW},
    {"127.0.0.1", nullptr, 0, AF_UNSPEC, SOCK_RAW, IPPROTO_ICMP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, SOCK_RAW},
    {"127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_TCP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_UDP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_ICMP},
    {"127.0.0.1", nullptr, 0, AF_UNSPEC, 0, IPPROTO_ICMP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_SCTP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, 0, IPPROTO_UDPLITE},
    {"127.0.0.1", "80", 0, AF_UNSPEC, SOCK_SEQPACKET},
    {"127.0.0.1", "80", 0, AF_UNSPEC, SOCK_DCCP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, SOCK_STREAM, IPPROTO_UDP},
    {"127.0.0.1", "80", 0, AF_UNSPEC, 99},
    // Services.
    {"127.0.0.1", "http", 0, AF_UNSPEC, 0},
    {"127.0.0.1", "tftp", 0, AF_UNSPEC, 0},
    {"127.0.0.1", "domain", 0, AF_UNSPEC, 0},
    {"127.0.0.1", "domain", 0, AF_UNSPEC, 0, IPPROTO_UDP},
    {"127.0.0.1", "www"},
    {"127.0.0.1", "syslog"},
    {"127.0.0.1", "HTTP"},
    {"127.0.0.1", "http", 0, AF_UNSPEC, SOCK_DGRAM},
    {"127.0.0.1", "ssh", 0, AF_UNSPEC, SOCK_RAW},
    {"127.0.0.1", "no-such-service"},
    {"127.0.0.1", "no-such-service", 0, AF_UNSPEC, 0},
    {"127.0.0.1", ""},
    {"127.0.0.1", "*"},
    {"127.0.0.1", "0"},
    {"127.0.0.1", "080"},
    {"127.0.0.1", " 80"},
    {"127.0.0.1", "+80"},
    {"127.0.0.1", "80 "},
    {"127.0.0.1", "80x"},
    {"127.0.0.1", "-1"},
    {"127.0.0.1", "65535"},
    {"127.0.0.1", "443", AI_NUMERICSERV},
    {"127.0.0.1", "", AI_NUMERICSERV},
    {"127.0.0.1", "https", AI_NUMERICSERV},
    // IPv4 literals.
    {"127.1", "80"},
    {"0x7f.1", "80"},
    {"0177.0.0.1", "80"},
    {"2130706433", "80", AI_NUMERICHOST | AI_CANONNAME},
    {"192.0.2.1", "80", AI_CANONNAME},
    {"192.0.2.1 ", "80", AI_NUMERICHOST},
    {"192.0.2.1 x", "80", AI_NUMERICHOST},
    {"192.0.2.1%lo", "80", AI_NUMERICHOST},
    {"192.0.2.256", "80", AI_NUMERICHOST},
    {"192.0.2.1", "80", 0, AF_INET6},
    {"192.0.2.1", "80", AI_V4MAPPED, AF_INET6},
    {"192.0.2.1", "80", AI_V4MAPPED | AI_ALL | AI_CANONNAME, AF_INET6},
    {"192.0.2.1", "80", AI_V4MAPPED, AF_INET},
    // IPv6 literals.
    {"::1", "80"},
    {"::1", "80", AI_CANONNAME},
    {"::1", "80", 0, AF_INET},
    {"2001:DB8::1", "80", AI_CANONNAME},
    {"::ffff:192.0.2.1", "80"},
    {"::ffff:192.0.2.1", "80", 0, AF_INET},
    {"::ffff:192.0.2.1", "80", 0, AF_INET6},
    {"::ffff:192.0.2.1%1", "80", AI_CANONNAME, AF_INET6},
    {"fe80::1%lo", "80"},
    {"fe80::1%lo", "80", AI_CANONNAME},
    {"fe80::1%1", "80"},
    {"fe80::1%0", "80"},
    {"fe80::1%", "80"},
    {"fe80::1%no-such-interface", "80"},
    {"fe80::1%4294967295", "80"},
    {"fe80::1%4294967296", "80"},
    {"fe80::1%+1", "80"},
    {"fe80::1%1 ", "80"},
    {"ff02::1%lo", "80"},
    {"2001:db8::1%lo", "80"},
    {"2001:db8::1%7", "80"},
    {"[::1]", "80", AI_NUMERICHOST},
    {"1:2:3", "80", AI_NUMERICHOST},
    // No node.
    {nullptr, nullptr},
    {nullptr, "80"},
    {nullptr, "80", 0, AF_UNSPEC, 0},
    {nullptr, "80", AI_PASSIVE},
    {nullptr, "80", AI_PASSIVE, AF_INET6},
    {nullptr, "80", 0, AF_INET},
    {nullptr, "80", AI_NUMERICHOST},
    {nullptr, "80", AI_CANONNAME},
    {"*", "80"},
    {"*", "*"},
    // Flags and families.
    {"127.0.0.1", "80", 0x800},
    {"127.0.0.1", "80", 0x8000},
    {"127.0.0.1", "80", 0x40},
    {"127.0.0.1", "80", 0x400 | AI_ADDRCONFIG},
    {"127.0.0.1", "80", 0, AF_UNIX},
    {"127.0.0.1", "80", 0, 99},
    {"::1", "80", AI_PASSIVE},
    {"a.test", "80", AI_NUMERICHOST},
    {"", "80", AI_NUMERICHOST},
};

std::string Describe(const Call& call) {
  return absl::StrCat(call.node == nullptr ? "-" : call.node, " ",
                      call.service == nullptr ? "-" : call.service, " flags ", call.flags,
                      " family ", call.family, " type ", call.socktype, " protocol ",
                      call.protocol);
}

TEST_F(NameShimTest, UnarmedItIsLibc) {
  for (const Call& call : kSameAsLibc) EXPECT_EQ(Shim(call), Libc(call)) << Describe(call);
}

TEST_F(NameShimTest, ArmedItSaysTheSameWithoutAskingWhereNoLookupIsNeeded) {
  Arm();
  for (const Call& call : kSameAsLibc) EXPECT_EQ(Shim(call), Libc(call)) << Describe(call);
  auto* const libc = FromLibc<decltype(getaddrinfo)>("getaddrinfo");
  EXPECT_EQ(testing::LookUpText(&getaddrinfo, &freeaddrinfo, "127.0.0.1", "80", nullptr),
            testing::LookUpText(libc, &freeaddrinfo, "127.0.0.1", "80", nullptr));
  EXPECT_TRUE(broker_.asked().empty());
}

TEST_F(NameShimTest, TheEmptyNameIsNotAskedFor) {
  Arm();
  EXPECT_EQ(Shim({"", "80"}), absl::StrCat(EAI_NONAME));
  EXPECT_TRUE(broker_.asked().empty());
}

TEST_F(NameShimTest, APortBeyond65535DoesNotWrapAround) {
  Arm();
  for (const char* port : {"65536", "99999999999", "18446744073709551617"}) {
    EXPECT_EQ(Shim({"127.0.0.1", port}), absl::StrCat(EAI_SERVICE)) << port;
  }
}

// libc's freeaddrinfo() must be able to free the shim's lists: AddressSanitizer sees if not.
TEST_F(NameShimTest, NamesAndWhatOfThemIsAskedFor) {
  ResolveReply both = Addresses({"192.0.2.1", "192.0.2.2", "2001:db8::1"});
  both.canonical_name = "real.test";
  broker_.Set("both.test", both);
  broker_.Set("v4.test", Addresses({"192.0.2.1"}));
  Arm();
  const struct {
    Call call;
    const char* expected;
  } cases[] = {
      {{"both.test", "80"}, "0 [2001:db8::1%0]:80/1/6 192.0.2.1:80/1/6 192.0.2.2:80/1/6"},
      {{"both.test", "80", 0, AF_INET}, "0 192.0.2.1:80/1/6 192.0.2.2:80/1/6"},
      {{"both.test", "80", 0, AF_INET6}, "0 [2001:db8::1%0]:80/1/6"},
      {{"both.test", "https", AI_CANONNAME, AF_INET6},
       "0 [2001:db8::1%0]:443/1/6 flags 2 canon real.test"},
      {{"both.test", "80", AI_V4MAPPED, AF_INET6}, "0 [2001:db8::1%0]:80/1/6 flags 8"},
      {{"both.test", "80", AI_V4MAPPED | AI_ALL, AF_INET6},
       "0 [2001:db8::1%0]:80/1/6 flags 24 [192.0.2.1%0]:80/1/6 flags 24 "
       "[192.0.2.2%0]:80/1/6 flags 24"},
      {{"v4.test", "80", AI_V4MAPPED, AF_INET6}, "0 [192.0.2.1%0]:80/1/6 flags 8"},
      {{"v4.test", "80", AI_ADDRCONFIG}, "0 192.0.2.1:80/1/6 flags 32"},
      {{"v4.test", "80", AI_CANONNAME}, "0 192.0.2.1:80/1/6 flags 2 canon v4.test"},
      {{"v4.test", nullptr, 0, AF_UNSPEC, 0}, "0 192.0.2.1:0/1/6 192.0.2.1:0/2/17 192.0.2.1:0/3/0"},
      {{"v4.test", "80", 0, AF_INET6}, "-5"},
      {{"none.test", "80"}, "-2"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Shim(one.call), one.expected);
    EXPECT_EQ(Text(&getaddrinfo, FromLibc<decltype(freeaddrinfo)>("freeaddrinfo"), one.call),
              one.expected);
  }
}

TEST_F(NameShimTest, AWrongServiceIsFoundBeforeTheNameIsAskedFor) {
  Arm();
  EXPECT_EQ(Shim({"a.test", "no-such-service"}), absl::StrCat(EAI_SERVICE));
  EXPECT_TRUE(broker_.asked().empty());
}

TEST_F(NameShimTest, EveryFailureHasItsCodeItsErrnoAndItsRecord) {
  const struct {
    const char* name;
    ResolveReply reply;
    int code;
    int error_number;
    const char* text;
  } cases[] = {
      {"denied.test", Refusal(Outcome::kDenied, Reason::kDenyRule, 3), EAI_FAIL, EACCES,
       "denied by rule 3 (deny-rule)"},
      {"none.test", Failure(ENOENT), EAI_NONAME, ENOENT, "allowed, but the name does not exist"},
      {"empty.test", Failure(ENODATA), EAI_NODATA, ENODATA,
       "allowed, but the name has none of the addresses asked for"},
      {"slow.test", Failure(EAGAIN), EAI_AGAIN, EAGAIN,
       "allowed, but no name server gave an answer, try again"},
      {"broken.test", Failure(EIO), EAI_FAIL, EIO, "allowed, but the lookup failed"},
      {"busy.test", Refusal(Outcome::kLimited, Reason::kOutstanding), EAI_AGAIN, EAGAIN,
       "over a limit of the role (too-many-outstanding), try again in 100 ms"},
      {"odd.test", Refusal(Outcome::kBadRequest, Reason::kNone), EAI_NONAME, EINVAL,
       "cannot be connected to (none)"},
  };
  for (const auto& one : cases) broker_.Set(one.name, one.reply);
  Arm();
  for (const auto& one : cases) {
    const uint64_t before = LastFailedLookup();
    addrinfo* list = nullptr;
    EXPECT_EQ(getaddrinfo(one.name, "80", nullptr, &list), one.code) << one.name;
    EXPECT_EQ(errno, one.error_number) << one.name;
    EXPECT_EQ(list, nullptr);
    const auto failed = FindFailedLookup(one.name, before);
    ASSERT_TRUE(failed.has_value()) << one.name;
    EXPECT_EQ(failed->error.ToString(), one.text);
  }
}

TEST_F(NameShimTest, EightThreadsOfAThousandLookupsEach) {
  for (int i = 0; i < 8; ++i) {
    broker_.Set(absl::StrCat("t", i, ".test"), Addresses({absl::StrCat("192.0.2.", i)}));
  }
  Arm();
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([i] {
      const std::string name = absl::StrCat("t", i, ".test");
      const std::string expected = absl::StrCat("0 192.0.2.", i, ":80/1/6");
      for (int j = 0; j < 1000; ++j) ASSERT_EQ(Shim({name.c_str(), "80"}), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(broker_.asked().size(), 8000U);
}

TEST_F(NameShimTest, ArmsOnceAndDisarmsWhileOthersLookUp) {
  EXPECT_TRUE(absl::IsInvalidArgument(ArmNameShim(nullptr)));
  broker_.Set("localhost", Addresses({"192.0.2.1"}));
  Arm();
  EXPECT_TRUE(absl::IsFailedPrecondition(ArmNameShim(client_.get())));
  // While it is not armed, the name is looked up in the hosts file and no query leaves the machine.
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) Shim({"localhost", "80", AI_NUMERICSERV});
  });
  for (int i = 0; i < 20; ++i) {
    DisarmNameShim();
    client_->Resolve("localhost", NameFamily::kAny);
    EXPECT_TRUE(ArmNameShim(client_.get()).ok());
  }
  stop = true;
  other.join();
  DisarmNameShim();
  client_.reset();
  EXPECT_EQ(Shim({"127.0.0.1", "80"}), "0 127.0.0.1:80/1/6");
}

TEST_F(NameShimTest, AChildOfForkStaysArmedAndItsLookupsFail) {
  broker_.Set("a.test", Addresses({"192.0.2.1"}));
  Arm();
  EXPECT_EQ(launch::RunForked([] {
              addrinfo* list = nullptr;
              const int code = getaddrinfo("a.test", "80", nullptr, &list);
              return code == EAI_FAIL && errno == EPIPE ? 0 : 1;
            }),
            launch::Exited(0));
  EXPECT_EQ(Shim({"a.test", "80"}), "0 192.0.2.1:80/1/6");
}

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int ConnectErrno(int fd, const sockaddr_in& address) {
  errno = 0;
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
}

TEST_F(NameShimTest, ConnectAnswersOnceForTheBrokersDescriptorAndItsAddress) {
  Arm();
  const sockaddr_in here = Loopback(1);
  const sockaddr_in elsewhere = Loopback(2);
  const auto* address = reinterpret_cast<const sockaddr*>(&here);
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  for (const auto& [answer, expected] : {std::pair(ConnectAnswer::kConnected, 0),
                                         std::pair(ConnectAnswer::kInProgress, EINPROGRESS)}) {
    ASSERT_TRUE(EnterBrokerDescriptor(fd.get(), address, sizeof(here), answer));
    EXPECT_EQ(ConnectErrno(fd.get(), elsewhere), ECONNREFUSED) << "libc's";
    EXPECT_EQ(ConnectErrno(fd.get(), here), expected);
    EXPECT_EQ(ConnectErrno(fd.get(), here), ECONNREFUSED) << "libc's, the entry is gone";
  }
  ASSERT_TRUE(EnterBrokerDescriptor(fd.get(), address, sizeof(here), ConnectAnswer::kConnected));
  RemoveBrokerDescriptor(fd.get());
  EXPECT_EQ(ConnectErrno(fd.get(), here), ECONNREFUSED);
  ASSERT_TRUE(EnterBrokerDescriptor(fd.get(), address, sizeof(here), ConnectAnswer::kConnected));
  DisarmNameShim();
  EXPECT_EQ(ConnectErrno(fd.get(), here), ECONNREFUSED) << "not armed";
  RemoveBrokerDescriptor(fd.get());
}

TEST_F(NameShimTest, OtherDescriptorsAreLibcs) {
  Arm();
  EXPECT_EQ(ConnectErrno(-1, Loopback(1)), EBADF);
  EXPECT_EQ(ConnectErrno(1 << 30, Loopback(1)), EBADF);
  EXPECT_EQ(connect(-1, nullptr, 0), -1);
  EXPECT_EQ(errno, EBADF);
  const UniqueFd v6(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage name;
  socklen_t length = sizeof(name);
  EXPECT_EQ(getsockname(v6.get(), reinterpret_cast<sockaddr*>(&name), &length), 0)
      << "a real socket where libc makes one";
  EXPECT_EQ(socket(99, SOCK_STREAM, 0), -1);
  EXPECT_EQ(errno, EAFNOSUPPORT);
}

TEST(BrokerDescriptorsTest, ThatASocketIsTrackedOutlivesTheAnswer) {
  const sockaddr_in here = Loopback(1);
  const auto* address = reinterpret_cast<const sockaddr*>(&here);
  constexpr int kFd = 1000;
  for (const ConnectAnswer answer :
       {ConnectAnswer::kNone, ConnectAnswer::kConnected, ConnectAnswer::kInProgress}) {
    ASSERT_TRUE(EnterBrokerDescriptor(kFd, address, sizeof(here), answer, /*tracked=*/true));
    EXPECT_EQ(TakeBrokerDescriptor(kFd, address, sizeof(here)), answer);
    EXPECT_EQ(TakeBrokerDescriptor(kFd, address, sizeof(here)), ConnectAnswer::kNone);
    EXPECT_TRUE(RemoveBrokerDescriptor(kFd));
    EXPECT_FALSE(RemoveBrokerDescriptor(kFd));
  }
  // What the number was before does not matter.
  ASSERT_TRUE(EnterBrokerDescriptor(kFd, address, sizeof(here), ConnectAnswer::kNone, true));
  ASSERT_TRUE(EnterBrokerDescriptor(kFd, address, sizeof(here), ConnectAnswer::kConnected));
  EXPECT_FALSE(RemoveBrokerDescriptor(kFd));
}

TEST(BrokerDescriptorsTest, NumbersThatCannotBeEntered) {
  const sockaddr_in here = Loopback(1);
  const auto* address = reinterpret_cast<const sockaddr*>(&here);
  for (const int fd : {-1, 1 << 20, INT32_MAX}) {
    EXPECT_FALSE(EnterBrokerDescriptor(fd, address, sizeof(here), ConnectAnswer::kConnected)) << fd;
    EXPECT_EQ(TakeBrokerDescriptor(fd, address, sizeof(here)), ConnectAnswer::kNone);
    RemoveBrokerDescriptor(fd);
  }
  const int last = (1 << 20) - 1;
  EXPECT_TRUE(EnterBrokerDescriptor(last, address, sizeof(here), ConnectAnswer::kInProgress));
  EXPECT_EQ(TakeBrokerDescriptor(last, address, sizeof(here)), ConnectAnswer::kInProgress);
}

}  // namespace
}  // namespace sockgate
