// FakeNet: a network that does what the test says, and remembers what it was asked.
//
// Each Open() makes the next "line": the broker's side is a real descriptor, so that epoll
// and descriptor passing are the kernel's own, and the far side stays here. A line is not writable
// until Finish() or Break(). Without orders every handshake goes on for ever.
// Threads: one at a time, as the loop's thread or under LoopThread::Do().

#ifndef SOCKGATE_TESTS_BROKER_FAKE_NET_H_
#define SOCKGATE_TESTS_BROKER_FAKE_NET_H_

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <deque>
#include <vector>

#include "broker/net.h"

namespace sockgate::testing {

// How many descriptors of this process refer to the same open object as `fd` did.
struct OpenObject {
  dev_t device = 0;
  ino_t inode = 0;

  static OpenObject Of(int fd);
  size_t Holders() const;
};

class FakeNet final : public Net {
 public:
  // What connect(2) answers on a line, one call after the other; the last one holds from then on.
  using Answers = std::deque<int>;

  // Orders for the next line. Without any: EINPROGRESS, then EALREADY for ever.
  void NextOpenFails(int error) { open_error_ = error; }
  void NextAnswers(Answers answers) { next_answers_ = std::move(answers); }
  // Instead of the handshake that goes on for ever, for all lines without orders of their own.
  void UsualAnswers(Answers answers) { usual_answers_ = std::move(answers); }
  void NextLook(Handshake look) { next_look_ = look; }
  // The next line is of a kind that epoll refuses, with EPERM.
  void NextCannotBeWatched() { next_unwatchable_ = true; }

  // The handshake of line `i` ends: well, or so that epoll reports an error. Whoever connects then
  // is told `answer`.
  void Finish(size_t i, int answer = 0);
  void Break(size_t i, int answer);
  // The handshake of line `i` ended well, and the connection is over already.
  void FinishAndEnd(size_t i);
  // Line `i` is writable, yet connect(2) goes on saying what it said.
  void MakeWritable(size_t i);

  struct Line {
    UniqueFd far_side;
    OpenObject near_side;
    Endpoint endpoint;
    Transport transport = Transport::kStream;
    SocketOptions options;
    Answers answers;
    Handshake look = Handshake::kGoingOn;
    int connects = 0;
    int looks = 0;
    int give_ups = 0;
    Measured measured;  // what it is said to be; the test's to change
    int measures = 0;
  };
  size_t lines() const { return lines_.size(); }
  const Line& line(size_t i) const { return lines_[i]; }
  void SetMeasured(size_t i, const Measured& measured) { lines_[i].measured = measured; }
  // How many descriptors of the near side are open in this process.
  size_t Holders(size_t i) const { return lines_[i].near_side.Holders(); }

  int Open(const Endpoint& endpoint, Transport transport, const SocketOptions& options,
           UniqueFd* socket) override;
  int Connect(int socket, const Endpoint& endpoint) override;
  Handshake Look(int socket) override;
  void GiveUp(int socket) override;
  Measured Measure(int socket) override;

 private:
  Line& LineOf(int socket);

  int open_error_ = 0;
  Answers next_answers_;
  Answers usual_answers_ = {EINPROGRESS, EALREADY};
  Handshake next_look_ = Handshake::kGoingOn;
  bool next_unwatchable_ = false;
  std::deque<Line> lines_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_BROKER_FAKE_NET_H_
