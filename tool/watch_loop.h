// WatchLoop: asks a broker at each interval and hands on what it hears.
//
// Process: the operator's command. Does not own the view, nor the descriptors it listens to.
// Blocking: never on the broker. One that is not there, or hangs up, is asked again; while one keeps
// its answer to itself no other question is put, since it answers one after the other; after a
// second this is said.

#ifndef SOCKGATE_TOOL_WATCH_LOOP_H_
#define SOCKGATE_TOOL_WATCH_LOOP_H_

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tool/control_client.h"
#include "tool/watch_view.h"

namespace sockgate {

class WatchLoop {
 public:
  using Clock = std::chrono::steady_clock;

  WatchLoop(std::string path, Clock::duration interval, WatchView* view)
      : path_(std::move(path)), interval_(interval), view_(view) {}

  // Calls back whenever there is something to read; -1 is never readable.
  void Listen(int fd, std::function<void()> on_readable) {
    others_.push_back({fd, std::move(on_readable)});
  }
  void Ignore(int fd);

  // Until End(), or nobody can see the view. Returns whether all could be shown.
  bool Run();
  void End() { ended_ = true; }
  // Ends when it was not.
  void Shown(bool shown);

 private:
  struct Other {
    int fd;
    std::function<void()> on_readable;
  };

  void Tick();
  void Ask(Clock::time_point now);
  void Hear();
  void Wait();

  const std::string path_;
  const Clock::duration interval_;
  WatchView* const view_;
  std::vector<Other> others_;
  std::optional<ControlQuestion> question_;
  Clock::time_point asked_at_;
  Clock::time_point next_;
  bool ended_ = false;
  bool shown_ = true;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_WATCH_LOOP_H_
