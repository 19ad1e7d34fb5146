// LandlockRules as its spec says, in processes that end with each test. How workers use it:
// tests/client/launch/worker_files_test.cc.

#include "confine/landlock_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "absl/strings/match.h"
#include "tests/client/launch/forked.h"

namespace sockgate::confine {
namespace {

using launch::ErrnoOf;
using launch::Exited;

class LandlockRulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (LandlockRules::KernelAbi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    mkdir(Path("folder").c_str(), 0700);
    std::ofstream(Path("folder/file")) << "text";
    std::ofstream(Path("file")) << "text";
    // From here, since a socket's name may not be as long as a path.
    ASSERT_EQ(chdir(::testing::TempDir().c_str()), 0);
  }

  static std::string Path(const std::string& name) { return ::testing::TempDir() + "/" + name; }

  // The errno of the call under these rules.
  static launch::ExitStatus Under(const LandlockSpec& spec, const std::function<int64_t()>& call) {
    return launch::RunForked([&] {
      const auto rules = LandlockRules::Build(spec);
      if (!rules.ok() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 200;
      if (rules->Enforce() != 0) return 201;
      return ErrnoOf(call());
    });
  }

  static launch::ExitStatus UnderGrant(const FileGrant& grant,
                                       const std::function<int64_t()>& call) {
    LandlockSpec spec;
    spec.files = {grant};
    return Under(spec, call);
  }

  static int64_t Open(const std::string& name, int flags) {
    return open(Path(name).c_str(), flags | O_CLOEXEC, 0600);
  }

  static int64_t BindAt(const std::string& name) {
    sockaddr_un address{AF_UNIX, {}};
    name.copy(address.sun_path, sizeof(address.sun_path) - 1);
    return bind(socket(AF_UNIX, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address),
                sizeof(address));
  }
};

TEST_F(LandlockRulesTest, WithoutAGrantNothingIsThere) {
  EXPECT_EQ(Under({}, [] { return Open("file", O_RDONLY); }), Exited(EACCES));
  EXPECT_EQ(Under({}, [] { return Open("new", O_WRONLY | O_CREAT); }), Exited(EACCES));
}

TEST_F(LandlockRulesTest, AGrantOnAFolderIsForWhatIsBeneath) {
  EXPECT_EQ(UnderGrant(Read(Path("folder")), [] { return Open("folder/file", O_RDONLY); }),
            Exited(0));
  EXPECT_EQ(UnderGrant(Read(Path("folder")), [] { return Open("folder/file", O_RDWR); }),
            Exited(EACCES));
  EXPECT_EQ(UnderGrant(Read(Path("folder")), [] { return Open("file", O_RDONLY); }),
            Exited(EACCES));
  EXPECT_EQ(
      UnderGrant(ReadWrite(Path("folder")), [] { return Open("folder/made", O_RDWR | O_CREAT); }),
      Exited(0));
}

TEST_F(LandlockRulesTest, AGrantOnAFileIsForThatFile) {
  EXPECT_EQ(UnderGrant(Read(Path("file")), [] { return Open("file", O_RDONLY); }), Exited(0));
  EXPECT_EQ(UnderGrant(Read(Path("file")), [] { return Open("folder/file", O_RDONLY); }),
            Exited(EACCES));
}

TEST_F(LandlockRulesTest, SocketsMayBeBoundAndUnlinkedWhereThatIsGranted) {
  EXPECT_EQ(UnderGrant(BindSockets(Path("folder")), [] { return BindAt("folder/socket"); }),
            Exited(0));
  EXPECT_EQ(
      UnderGrant(BindSockets(Path("folder")), [] { return unlink(Path("folder/socket").c_str()); }),
      Exited(0));
  EXPECT_EQ(UnderGrant(BindSockets(Path("folder")), [] { return BindAt("socket"); }),
            Exited(EACCES));
  EXPECT_EQ(
      UnderGrant(BindSockets(Path("folder")), [] { return Open("folder/x", O_WRONLY | O_CREAT); }),
      Exited(EACCES));
}

TEST_F(LandlockRulesTest, NothingIsExecuted) {
  EXPECT_EQ(
      UnderGrant(Read("/"), [] { return execl("/bin/true", "true", static_cast<char*>(nullptr)); }),
      Exited(EACCES));
  EXPECT_EQ(UnderGrant(ReadExecute("/"),
                       [] { return execl("/bin/true", "true", static_cast<char*>(nullptr)); }),
            Exited(0));
}

TEST_F(LandlockRulesTest, TcpPortsAsTheSpecSays) {
  if (LandlockRules::KernelAbi() < 4) GTEST_SKIP() << "no ports before ABI 4";
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto bind_to = [&](uint16_t port) {
    address.sin_port = htons(port);
    return bind(socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address),
                sizeof(address));
  };
  LandlockSpec any_port;
  any_port.allow_tcp_bind_any_port = true;
  EXPECT_EQ(Under({}, [&] { return bind_to(0); }), Exited(EACCES));
  EXPECT_EQ(Under(any_port, [&] { return bind_to(0); }), Exited(0));
  EXPECT_EQ(Under(any_port, [&] { return bind_to(40000); }), Exited(EACCES));
  const auto connect_to_dead_port = [&] {
    address.sin_port = htons(1);
    return connect(socket(AF_INET, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address),
                   sizeof(address));
  };
  LandlockSpec connecting;
  connecting.deny_tcp_connect = false;
  EXPECT_EQ(Under({}, connect_to_dead_port), Exited(EACCES));
  EXPECT_EQ(Under(connecting, connect_to_dead_port), Exited(ECONNREFUSED));
}

TEST_F(LandlockRulesTest, SignalsAndAbstractSocketsAsTheSpecSays) {
  if (LandlockRules::KernelAbi() < 6) GTEST_SKIP() << "no scopes before ABI 6";
  LandlockSpec open;
  open.scope_signals = false;
  open.scope_abstract_sockets = false;
  sockaddr_un address{AF_UNIX, {}};
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)), 0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ASSERT_EQ(listen(listener, 4), 0);
  const auto connect_to_abstract = [&] {
    return connect(socket(AF_UNIX, SOCK_STREAM, 0), reinterpret_cast<sockaddr*>(&address), size);
  };
  EXPECT_EQ(Under({}, connect_to_abstract), Exited(EPERM));
  EXPECT_EQ(Under(open, connect_to_abstract), Exited(0));
  const auto signal_test = [test = getpid()] { return kill(test, 0); };
  EXPECT_EQ(Under({}, signal_test), Exited(EPERM));
  EXPECT_EQ(Under(open, signal_test), Exited(0));
  close(listener);
}

TEST_F(LandlockRulesTest, StaysOutOfTheWayOfStandardStreams) {
  EXPECT_EQ(launch::RunForked([] {
              close(STDIN_FILENO);
              const auto rules = LandlockRules::Build({});
              return rules.ok() && rules->descriptor() > 3 ? 0 : 1;
            }),
            Exited(0));
}

TEST_F(LandlockRulesTest, NamesAPathThatIsNotThere) {
  LandlockSpec spec;
  spec.files = {Read("/no/such/path")};
  const absl::Status status = LandlockRules::Build(spec).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "/no/such/path")) << status;
}

TEST_F(LandlockRulesTest, NeedsNoNewPrivileges) {
  if (geteuid() == 0) GTEST_SKIP() << "root needs them not";
  const auto rules = LandlockRules::Build({});
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(launch::RunForked([&] { return rules->Enforce(); }), Exited(EPERM));
}

}  // namespace
}  // namespace sockgate::confine
