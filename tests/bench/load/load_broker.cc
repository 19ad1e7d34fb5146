#include "tests/bench/load/load_broker.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "broker/broker.h"
#include "broker/policy/policy.h"
#include "tests/support/test_namespace.h"

namespace sockgate::bench {
namespace {

constexpr char kRole[] = "load";
constexpr off_t kAuditBytes = off_t{64} << 20;

Role LoadRole() {
  Role role;
  role.name = kRole;
  role.policy = Policy({*Rule::Parse(Decision::kAllow, "127.0.0.0/8:*"),
                        *Rule::Parse(Decision::kAllow, absl::StrCat(testing::kBlackHoleV4, ":*"))});
  role.limits.max_channels = 1024;
  role.limits.max_pending = 1024;
  return role;
}

BrokerOptions OptionsWith(int audit) {
  BrokerOptions options;
  options.roles.push_back(LoadRole());
  options.audit.Reset(fcntl(audit, F_DUPFD_CLOEXEC, 0));
  return options;
}

// Says on `control` that it listens, and serves until its parent ends it.
void Serve(int control, const std::string& path, int audit) {
  auto broker = Broker::Create(OptionsWith(audit));
  absl::Status status = broker.status();
  if (status.ok()) status = (*broker)->Listen({path, kRole});
  if (status.ok()) status = (*broker)->EnterCage();
  if (!status.ok()) {
    std::fprintf(stderr, "broker: %s\n", status.ToString().c_str());
    return;
  }
  if (send(control, "", 1, MSG_NOSIGNAL) == 1) (*broker)->RunAsProcess({SIGTERM});
}

}  // namespace

absl::StatusOr<LoadBroker> LoadBroker::Start() {
  auto folder = std::make_unique<testing::TempFolder>();
  UniqueFd audit(open((*folder / "audit").c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!audit.valid()) return absl::ErrnoToStatus(errno, "no audit log");
  const std::string path = *folder / "broker";
  auto process = ChildProcess::Start([&](int control) { Serve(control, path, audit.get()); });
  if (!process.ok()) return process.status();
  char listens;
  if (recv(process->control(), &listens, 1, 0) != 1) {
    return absl::UnavailableError("the broker did not start");
  }
  return LoadBroker(std::move(folder), std::move(audit), *std::move(process));
}

void LoadBroker::CutAuditLog() const {
  struct stat status;
  if (fstat(audit_.get(), &status) != 0 || status.st_size < kAuditBytes) return;
  if (ftruncate(audit_.get(), 0) != 0) return;  // then it only grows
}

}  // namespace sockgate::bench
