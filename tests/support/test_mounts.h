// File systems of the test's own: a fresh mount namespace, and small disks in it.
//
// Process: the one that calls, and the children it forks or spawns afterwards. Call EnterTestMounts()
// first thing in main() or in a forked child, while the process has a single thread: a namespace is a
// property of each thread.
// Privilege: none where unprivileged user namespaces are allowed; an ordinary user sees itself as
// user 0 from then on. Lifetime: the namespace goes with its last process, and all mounts with it.
//
// A test that is nothing without them links :test_mounts_main instead of gtest_main.

#ifndef SOCKGATE_TESTS_SUPPORT_TEST_MOUNTS_H_
#define SOCKGATE_TESTS_SUPPORT_TEST_MOUNTS_H_

#include <absl/status/status.h>

#include <cstddef>
#include <string>

namespace sockgate::testing {

// Unavailable: this host does not let us have it; the message says why, and a test may skip with it.
absl::Status EnterTestMounts();

// A tmpfs that has room for so many bytes, on a folder that is there. Only after EnterTestMounts().
// An error ends the test program.
class TinyDisk {
 public:
  TinyDisk(std::string folder, size_t bytes);
  ~TinyDisk();
  TinyDisk(const TinyDisk&) = delete;
  TinyDisk& operator=(const TinyDisk&) = delete;

  void Resize(size_t bytes) const;

  std::string operator/(const std::string& name) const { return folder_ + "/" + name; }

 private:
  const std::string folder_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_TEST_MOUNTS_H_
