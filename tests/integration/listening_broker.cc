#include "tests/integration/listening_broker.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "broker/broker.h"
#include "broker/policy/policy_file.h"
#include "proto/check.h"
#include "proto/fresh_child.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {
namespace {

// It has no worker's end of a channel, which would hide that worker's death.
[[noreturn]] void Serve(const std::string& path, const std::string& policy, int ready) {
  SOCKGATE_CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
  SOCKGATE_CHECK(CloseAllDescriptorsBut({STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, ready}) == 0);
  LoadedPolicy loaded = ParsePolicy(policy);
  SOCKGATE_CHECK(loaded.policy.has_value());
  BrokerOptions options;
  options.roles = std::move(loaded.policy->roles);
  options.resolver = std::move(loaded.policy->resolver);
  auto broker = Broker::Create(std::move(options));
  SOCKGATE_CHECK(broker.ok());
  SOCKGATE_CHECK((*broker)->Listen({path, "test"}).ok());
  SOCKGATE_CHECK((*broker)->EnterCage().ok());
  WriteAll(ready, ".");
  close(ready);
  (*broker)->RunAsProcess({SIGTERM});
  _exit(EXIT_SUCCESS);
}

}  // namespace

ListeningBroker::ListeningBroker(std::string path, std::string policy)
    : path_(std::move(path)), policy_(std::move(policy)) {
  Start();
}

ListeningBroker::~ListeningBroker() { Kill(); }

void ListeningBroker::Start() {
  Pipe ready;
  pid_ = fork();
  SOCKGATE_CHECK(pid_ >= 0);
  if (pid_ == 0) Serve(path_, policy_, ready.writer.get());
  ready.writer.Reset();
  char byte;
  SOCKGATE_CHECK(read(ready.reader.get(), &byte, 1) == 1);
}

void ListeningBroker::Kill() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace sockgate::testing
