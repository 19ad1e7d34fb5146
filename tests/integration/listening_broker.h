// ListeningBroker: a real broker in a process of its own, in its cage, that listens on a path. It can
// be killed and started anew.
//
// Process: the test, while it has one thread. Owns the child, which ends with the object or with the
// test. Errors end the test program.

#ifndef SOCKGATE_TESTS_INTEGRATION_LISTENING_BROKER_H_
#define SOCKGATE_TESTS_INTEGRATION_LISTENING_BROKER_H_

#include <sys/types.h>

#include <string>

namespace sockgate::testing {

class ListeningBroker {
 public:
  // `policy` is the text of a policy file, with a role "test".
  ListeningBroker(std::string path, std::string policy);
  ~ListeningBroker();
  ListeningBroker(const ListeningBroker&) = delete;
  ListeningBroker& operator=(const ListeningBroker&) = delete;

  // Waits until it listens.
  void Start();
  // SIGKILL; what it listened on stays behind.
  void Kill();

  pid_t pid() const { return pid_; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const std::string policy_;
  pid_t pid_ = -1;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_LISTENING_BROKER_H_
