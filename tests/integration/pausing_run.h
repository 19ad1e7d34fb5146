// PausingRun: runs a piece of a test in a process that uses libcurl through a client which finds its
// broker again. The piece may pause until the test has done its part.
//
// Process: the test, while it has one thread. Owns the process that it starts, which ends with the
// test. Errors end the test program.

#ifndef SOCKGATE_TESTS_INTEGRATION_PAUSING_RUN_H_
#define SOCKGATE_TESTS_INTEGRATION_PAUSING_RUN_H_

#include <sys/types.h>

#include <functional>
#include <ostream>
#include <string>

#include "client/broker_client.h"
#include "tests/integration/inside.h"
#include "tests/integration/pipe_text.h"

namespace sockgate::testing {

// How the process comes by its channels.
enum class Comes {
  kByPath,         // BrokerClient::FromPath(), without a filter
  kBySource,       // a ChannelSource of its launcher, under the fetcher profile
  kByPathOnlyOnce  // FromPath(), and the fetcher profile afterwards
};
void PrintTo(Comes comes, std::ostream* out);

class PausingRun {
 public:
  // What a piece has.
  using Inside = testing::Inside;
  using Piece = std::function<std::string(const Inside& inside)>;

  PausingRun(const std::string& path, Comes comes, const Piece& piece);
  ~PausingRun();
  PausingRun(const PausingRun&) = delete;
  PausingRun& operator=(const PausingRun&) = delete;

  // Waits for the piece to pause.
  void AwaitPause();
  void Resume();

  // Waits for the end. What the piece returned, or what went wrong.
  std::string Text();

 private:
  Pipe text_;
  Pipe said_;
  Pipe told_;
  pid_t pid_ = -1;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_INTEGRATION_PAUSING_RUN_H_
