// `sockgate serve` as an ordinary user in its cage: all that it does without one it does there, and
// what would need more than the cage has left is refused as a whole.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "confine/landlock_rules.h"
#include "confine/profile.h"
#include "confine/seccomp_filter.h"
#include "proto/check.h"
#include "proto/endpoint.h"
#include "tests/broker/replace_world.h"
#include "tests/client/launch/forked.h"
#include "tests/support/loopback_tcp.h"
#include "tests/tool/command.h"
#include "tests/tool/policy_daemon.h"

namespace sockgate::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUser[] = "nobody";

// All that a policy can ask of the broker.
struct Wishes {
  std::string listen;  // another path, of another folder perhaps
  std::string sockets = "";
  std::string role = "peers = { users = [\"root\", \"nobody\"] }\n";
  std::string rules = "";
  std::string hosts;
  std::string file = "";
};

class ServeCageCommand : public ::testing::Test, protected PolicyDaemon {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root can have the broker be another user";
    if (confine::LandlockRules::KernelAbi() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    const passwd* user = getpwnam(kUser);
    ASSERT_NE(user, nullptr);
    user_ = user->pw_uid;
    group_ = user->pw_gid;
    std::ofstream(hosts_) << "127.0.0.1 db.example\n";
    wishes_.listen = path();
    wishes_.hosts = hosts_;
    wishes_.rules = absl::StrCat("  { cidr = \"127.0.0.1\", ports = ", target_->port(), " },\n",
                                 "  { host = \"db.example\", ports = 1, private = true },\n",
                                 "  { unix = \"", service_, "\" },\n");
  }

  void Write() const {
    WritePolicy(absl::StrCat("version = 1\n", wishes_.file,
                             "[resolver]\nservers = [\"127.0.0.1:1\"]\nhosts = \"", wishes_.hosts,
                             "\"\n[[listen]]\npath = \"", wishes_.listen,
                             "\"\nrole = \"fetch\"\n[roles.fetch]\n", wishes_.role, "allow = [\n",
                             wishes_.rules, "]\n[roles.fetch.sockets]\n", wishes_.sockets));
  }
  bool StartAsUser(std::vector<std::string> options = {}) {
    Write();
    GiveFolderTo(user_, group_);
    options.insert(options.end(), {"--user", kUser});
    return Start(options);
  }
  // With what the file says by then.
  CommandResult Reload() const {
    Write();
    return RunSockgate({"reload", "--control", control()});
  }
  void ExpectRejected(const std::string& why) const {
    const CommandResult reload = Reload();
    EXPECT_EQ(reload.status, 1);
    EXPECT_THAT(reload.err, HasSubstr(why));
    EXPECT_THAT(reload.err, HasSubstr("restart the broker"));
    EXPECT_THAT(reload.err, HasSubstr("stays in force"));
  }
  Outcome Ask(TestWorker* worker) const {
    return worker->Ask(ConnectTo("127.0.0.1", target_->port())).result().outcome;
  }
  bool Resolves(TestWorker* worker) const {
    return worker->Ask(Resolve("db.example")).addresses() == std::vector<std::string>{"127.0.0.1"};
  }
  // Dead by a call that its filter does not list would be SIGSYS.
  void ExpectEndsWell() { EXPECT_EQ(Stop(), 0) << StandardError(); }
  std::string ProcStatus(const std::string& pid) const {
    std::ifstream file(absl::StrCat("/proc/", pid, "/status"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // The broker's child, and with another step the resolver.
  pid_t ChildOf(pid_t parent) const {
    pid_t child = 0;
    std::ifstream(absl::StrCat("/proc/", parent, "/task/", parent, "/children")) >> child;
    return child;
  }

  uid_t user_ = 0;
  gid_t group_ = 0;
  const TempFolder elsewhere_;
  const std::string hosts_ = InFolder("hosts");
  const std::string service_ = InFolder("service");
  const absl::StatusOr<SilentListener> target_ = SilentListener::Listen();
  Wishes wishes_;
};

TEST_F(ServeCageCommand, ServesAsThatUserInAllLayers) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  TestWorker worker = Worker();
  EXPECT_EQ(Ask(&worker), Outcome::kConnected);
  const pid_t keeper = ChildOf(pid());
  for (const pid_t one : {pid(), keeper, ChildOf(keeper)}) {
    const std::string status = ProcStatus(std::to_string(one));
    const std::string id = absl::StrCat(user_, "\t", user_, "\t", user_, "\t", user_);
    EXPECT_THAT(status, HasSubstr(absl::StrCat("\nUid:\t", id, "\n")));
    EXPECT_THAT(status, HasSubstr("\nCapPrm:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("\nCapBnd:\t0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("\nNoNewPrivs:\t1\n"));
    EXPECT_THAT(status, HasSubstr("\nSeccomp:\t2\n"));
  }
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, EveryoneWhoAsksIsTold) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  const std::string cage = absl::StrCat(
      "cage full: user ", user_, ", capabilities: none, no_new_privs, not dumpable, Landlock");
  EXPECT_THAT(StandardError(), HasSubstr(absl::StrCat("sockgate serve: ", cage)));
  EXPECT_THAT(StandardError(), Not(HasSubstr("warning")));
  EXPECT_THAT(RunSockgate({"status", "--control", control()}).out, HasSubstr(cage));
  EXPECT_EQ(Status()["cage"]["uid"], user_);
  EXPECT_EQ(Status()["cage"]["seccomp"], true);
  ExpectEndsWell();
  const std::vector<json> lines = Audit();
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines[0]["event"], "cage");
  EXPECT_EQ(lines[0]["level"], "full");
  EXPECT_EQ(lines[0]["uid"], user_);
}

TEST_F(ServeCageCommand, AReloadLooksUsersUpAndTheLogGoesOn) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  TestWorker worker = Worker();
  wishes_.role = "peers = { users = [\"daemon\"], groups = [\"daemon\"] }\n";
  EXPECT_EQ(Reload().status, 0) << StandardError();
  EXPECT_EQ(Ask(&worker), Outcome::kDenied) << "it is none of the peers any more";
  wishes_.role = "peers = { users = [\"root\"] }\n";
  wishes_.file = "deny_own_addresses = true\n";
  EXPECT_EQ(Reload().status, 0) << StandardError();
  EXPECT_EQ(Ask(&worker), Outcome::kDenied) << "it is an own address";
  wishes_.role = "peers = { users = [\"sockgate-has-no-such-user\"] }\n";
  const CommandResult unknown = Reload();
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, HasSubstr("knows no user"));
  ExpectEndsWell();
  const std::vector<json> lines = Audit();
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                          [](const json& line) { return line["event"] == "policy"; }),
            3);
}

// An editor writes a new file and renames it, and so does useradd(8).
TEST_F(ServeCageCommand, AFileThatWasReplacedIsFoundAgain) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  std::filesystem::rename(policy(), policy() + ".old");
  std::filesystem::rename(hosts_, hosts_ + ".old");
  std::ofstream(hosts_) << "127.0.0.1 db.example\n";
  EXPECT_EQ(Reload().status, 0) << StandardError();
  TestWorker worker = Worker();
  EXPECT_TRUE(Resolves(&worker));
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, ANewPathInTheSameFolder) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  wishes_.listen = InFolder("another");
  EXPECT_EQ(Reload().status, 0) << StandardError();
  TestWorker worker = ReplaceWorld::ConnectToPath(wishes_.listen);
  worker.Greet();
  EXPECT_EQ(Ask(&worker), Outcome::kConnected);
  EXPECT_FALSE(std::filesystem::exists(path()));
  ExpectEndsWell();
  EXPECT_FALSE(std::filesystem::exists(wishes_.listen));
}

TEST_F(ServeCageCommand, WhatNeedsMoreIsRejectedAsAWhole) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  TestWorker worker = Worker();
  const Wishes before = wishes_;
  wishes_.rules = "";
  wishes_.listen = elsewhere_ / "fetch";
  ExpectRejected("in none of the folders where the broker listens");
  wishes_.listen = before.listen;
  wishes_.sockets = "mark = 7\n";
  ExpectRejected("the sockets of role fetch need CAP_NET_");
  wishes_.sockets = "source = \"127.0.0.1\"\n";
  ExpectRejected("has a source address");
  wishes_.sockets = "";
  wishes_.hosts = elsewhere_ / "hosts";
  std::ofstream(wishes_.hosts) << "";
  ExpectRejected("in none of the folders that the resolver reads");
  EXPECT_EQ(Status()["policy"]["generation"], 1);
  EXPECT_EQ(Ask(&worker), Outcome::kConnected) << "by the old policy";
  wishes_ = before;
  EXPECT_EQ(Reload().status, 0);
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, WhatThePolicyNeedsFromTheStartIsKept) {
  wishes_.sockets =
      "mark = 7\nsource = \"127.0.0.1\"\ninterface = \"lo\"\ntos = 8\nkeepalive = true\n"
      "user_timeout_ms = 5000\ncongestion_control = \"reno\"\n";
  ASSERT_TRUE(StartAsUser()) << StandardError();
  TestWorker worker = Worker();
  const Answer answer = worker.Ask(ConnectTo("127.0.0.1", target_->port()));
  EXPECT_EQ(answer.result().outcome, Outcome::kConnected) << answer.result().error;
  int mark = 0;
  socklen_t length = sizeof(mark);
  ASSERT_EQ(getsockopt(answer.descriptor.get(), SOL_SOCKET, SO_MARK, &mark, &length), 0);
  EXPECT_EQ(mark, 7);
  EXPECT_THAT(StandardError(), HasSubstr("capabilities: CAP_NET_"));
  EXPECT_EQ(Reload().status, 0) << StandardError();
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, APathMayBeGivenToOthersAtTheStart) {
  std::string text = PolicyText("1");
  text.insert(text.find("[roles"), "owner = \"daemon\"\nmode = \"0660\"\n");
  WritePolicy(text);
  GiveFolderTo(user_, group_);
  ASSERT_TRUE(Start({"--user", kUser})) << StandardError();
  struct stat status;
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, getpwnam("daemon")->pw_uid);
  EXPECT_EQ(RunSockgate({"reload", "--control", control()}).status, 0) << "nothing has changed";
  // And one that a broker left behind is taken back.
  Signal(SIGKILL);
  Stop();
  EXPECT_TRUE(std::filesystem::exists(path()));
  std::filesystem::remove(control());
  ASSERT_TRUE(Start({"--user", kUser})) << StandardError();
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, NamesAndTheirResolverThatIsKilledOrReplaced) {
  ASSERT_TRUE(StartAsUser()) << StandardError();
  TestWorker worker = Worker();
  EXPECT_TRUE(Resolves(&worker));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Await([](const json& status) { return status["resolver"]["state"] == "ready"; }));
    const pid_t resolver = ChildOf(ChildOf(pid()));
    ASSERT_GT(resolver, 0);
    ASSERT_EQ(kill(resolver, SIGKILL), 0);
    ASSERT_TRUE(Await([](const json& status) { return status["resolver"]["state"] != "ready"; }));
  }
  ASSERT_TRUE(Await([](const json& status) { return status["resolver"]["state"] == "ready"; }));
  EXPECT_EQ(Reload().status, 0);
  EXPECT_TRUE(Resolves(&worker));
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, UnixPathRules) {
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address;
  const socklen_t length = Endpoint::Unix(service_)->ToSockaddr(&address);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener.get(), 4), 0);
  ASSERT_TRUE(StartAsUser()) << StandardError();
  TestWorker worker = Worker();
  ConnectRequest request;
  request.endpoint = *Endpoint::Unix(service_);
  request.deadline_ms = 5000;
  EXPECT_EQ(worker.Ask(request).result().outcome, Outcome::kConnected);
  ExpectEndsWell();
}

// From now on this call fails so; of the filter's other effects none matters.
bool TakeAway(const char* call, int error) {
  confine::Profile profile;
  profile.name = "test";
  profile.fallback = confine::kAllow;
  profile.rules = {{call, confine::Errno(error)}};
  const auto filter = confine::SeccompFilter::Build(profile);
  return filter.ok() && filter->Install() == 0;
}

// A worker that comes by the path, undumpable and another user's or the broker's own, before and
// after it has confined itself.
class Stranger {
 public:
  Stranger(const std::string& path, uid_t user, uint16_t port) {
    SOCKGATE_CHECK(pipe(go_) == 0 && pipe(said_) == 0);
    pid_ = fork();
    if (pid_ == 0) _exit(Live(path, user, port));
    close(go_[0]);
    close(said_[1]);
  }
  ~Stranger() {
    close(go_[1]);
    close(said_[0]);
    waitpid(pid_, nullptr, 0);
  }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  Outcome Ask() const {
    char outcome = 0;
    EXPECT_EQ(write(go_[1], "x", 1), 1);
    EXPECT_EQ(read(said_[0], &outcome, 1), 1);
    return static_cast<Outcome>(outcome);
  }

 private:
  int Live(const std::string& path, uid_t user, uint16_t port) {
    close(go_[1]);
    if (setresuid(user, user, user) != 0) return 1;
    TestWorker worker = ReplaceWorld::ConnectToPath(path);
    worker.Greet();
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    char byte;
    for (int i = 0; read(go_[0], &byte, 1) == 1; ++i) {
      // A look in vain is not repeated for a tenth of a second.
      if (i == 1 && !TakeAway("reboot", EPERM)) return 2;
      Outcome outcome = Outcome::kDenied;
      for (int tries = 0; tries < 50 && outcome == Outcome::kDenied; ++tries) {
        outcome = worker.Ask(ConnectTo("127.0.0.1", port)).result().outcome;
        if (i == 0) break;
        poll(nullptr, 0, 10);
      }
      const char said = static_cast<char>(outcome);
      if (write(said_[1], &said, 1) != 1) return 3;
    }
    return 0;
  }

  int go_[2];
  int said_[2];
  pid_t pid_;
};

TEST_F(ServeCageCommand, RequireConfined) {
  wishes_.role = "require_confined = true\n";
  ASSERT_TRUE(StartAsUser()) << StandardError();
  for (const uid_t user : {uid_t{0}, user_}) {
    const Stranger stranger(path(), user, target_->port());
    EXPECT_EQ(stranger.Ask(), Outcome::kDenied) << user;
    EXPECT_EQ(stranger.Ask(), Outcome::kConnected) << user;
  }
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, AFileThatTheUserCannotReadIsNamed) {
  Write();
  std::filesystem::permissions(policy(), std::filesystem::perms::owner_read);
  const CommandResult serve = RunSockgate({"serve", "--policy", policy(), "--user", kUser});
  EXPECT_EQ(serve.status, 1);
  EXPECT_THAT(serve.err, HasSubstr("user nobody must be able to read"));
}

TEST_F(ServeCageCommand, WhoCannotBeBecome) {
  for (const char* user : {"root", "sockgate-has-no-such-user"}) {
    const CommandResult serve = RunSockgate({"serve", "--policy", policy(), "--user", user});
    EXPECT_EQ(serve.status, 1);
    EXPECT_THAT(serve.err, HasSubstr(user));
  }
  EXPECT_EQ(RunSockgate({"serve", "--policy", policy(), "--cage", "some"}).status, 2);
}

TEST_F(ServeCageCommand, NoneIsWarnedOf) {
  ASSERT_TRUE(StartAsUser({"--cage", "none"})) << StandardError();
  EXPECT_THAT(StandardError(), HasSubstr("warning: no cage"));
  EXPECT_EQ(Status()["cage"]["level"], "none");
  TestWorker worker = Worker();
  EXPECT_EQ(Ask(&worker), Outcome::kConnected);
  ExpectEndsWell();
}

TEST_F(ServeCageCommand, WithoutLandlockIsWarnedOfAndServesAll) {
  ASSERT_TRUE(StartAsUser({"--cage", "without-landlock"})) << StandardError();
  EXPECT_THAT(StandardError(), HasSubstr("warning: no Landlock"));
  TestWorker worker = Worker();
  EXPECT_EQ(Ask(&worker), Outcome::kConnected);
  EXPECT_TRUE(Resolves(&worker));
  EXPECT_EQ(Reload().status, 0) << StandardError();
  ExpectEndsWell();
}

TEST(ServeWithoutLandlock, IsRefusedInSoManyWords) {
  EXPECT_EQ(launch::RunForked([] {
              const TempFolder folder;
              if (!TakeAway("landlock_create_ruleset", EOPNOTSUPP)) return 1;
              const CommandResult serve = RunSockgate({"serve", "--listen", folder / "x"});
              if (serve.status != 1 || serve.out != "") return 2;
              if (!absl::StrContains(serve.err, "this kernel has no Landlock")) return 3;
              if (!absl::StrContains(serve.err, "write --cage without-landlock")) return 4;
              return std::filesystem::exists(folder / "x") ? 5 : 0;
            }),
            launch::Exited(0));
}

}  // namespace
}  // namespace sockgate::testing
