#include "tool/status_watch.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "proto/unique_fd.h"
#include "tool/live_screen.h"
#include "tool/watch_loop.h"
#include "tool/watch_view.h"

namespace sockgate {
namespace {

// Signals as they come, instead of what they would do.
class Signals {
 public:
  Signals() {
    sigset_t taken;
    sigemptyset(&taken);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH}) {
      sigaddset(&taken, number);
    }
    pthread_sigmask(SIG_BLOCK, &taken, &before_);
    fd_.Reset(signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  ~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  int fd() const { return fd_.get(); }
  // 0: none.
  int Next() const {
    signalfd_siginfo info;
    return read(fd_.get(), &info, sizeof(info)) == sizeof(info) ? static_cast<int>(info.ssi_signo)
                                                                : 0;
  }

 private:
  sigset_t before_;
  UniqueFd fd_;
};

// The last one that would end the process; 0: none.
int HandleSignals(const Signals& signals, WatchLoop* loop, ScreenView* view) {
  int ending = 0;
  for (int number = signals.Next(); number != 0; number = signals.Next()) {
    switch (number) {
      case SIGWINCH:
        loop->Shown(view->Redraw());
        break;
      case SIGTSTP:
        loop->Shown(view->Suspend());
        break;
      default:
        ending = number;
        loop->End();
    }
  }
  return ending;
}

void HandleKeys(WatchLoop* loop) {
  char keys[64];
  const ssize_t size = read(STDIN_FILENO, keys, sizeof(keys));
  if (size <= 0) {
    loop->Ignore(STDIN_FILENO);  // or it would be readable for ever
  } else if (std::memchr(keys, 'q', static_cast<size_t>(size)) != nullptr) {
    loop->End();
  }
}

int Exit(bool shown) {
  if (shown) return EXIT_SUCCESS;
  std::fprintf(stderr, "sockgate status: cannot write to standard output\n");
  return EXIT_FAILURE;
}

int WatchOnScreen(const std::string& path, WatchLoop::Clock::duration interval) {
  int ending = 0;
  bool shown = false;
  {
    const Signals signals;
    const int keyboard = isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : -1;
    ScreenView view(path, STDOUT_FILENO, keyboard);
    WatchLoop loop(path, interval, &view);
    loop.Listen(signals.fd(), [&] {
      const int number = HandleSignals(signals, &loop, &view);
      if (number != 0) ending = number;
    });
    loop.Listen(keyboard, [&] { HandleKeys(&loop); });
    shown = loop.Run();
  }
  // Whoever waits for this process is to see what ended it.
  if (ending != 0) raise(ending);
  return Exit(shown);
}

}  // namespace

int WatchStatus(const StatusOptions& options) {
  const auto interval = std::chrono::duration_cast<WatchLoop::Clock::duration>(
      std::chrono::duration<double>(options.interval_s));
  if (!options.json && LiveScreen::Can(STDOUT_FILENO)) {
    return WatchOnScreen(options.control, interval);
  }
  std::unique_ptr<WatchView> view;
  if (options.json) {
    view = std::make_unique<JsonView>();
  } else {
    view = std::make_unique<PlainView>(options.control);
  }
  return Exit(WatchLoop(options.control, interval, view.get()).Run());
}

}  // namespace sockgate
