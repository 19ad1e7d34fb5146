// LiveScreen: lines on a terminal that take each other's place.
//
// Process: the operator's command. Does not own the terminal's descriptor. While it shows, it has
// the terminal's other screen, without a cursor, and what is typed is not echoed; Hide() and the
// destructor give all of it back as it was.
// Threads: one. Blocking: as the terminal does.
// Failure: a terminal that has gone makes Draw() return false.
//
// https://invisible-island.net/xterm/ctlseqs/ctlseqs.html

#ifndef SOCKGATE_TOOL_LIVE_SCREEN_H_
#define SOCKGATE_TOOL_LIVE_SCREEN_H_

#include <termios.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sockgate {

struct ScreenSize {
  size_t rows = 24;
  size_t columns = 80;
};

// What of printable lines has room; where that is not all, the last row says what is left out.
std::vector<std::string> FitLines(const std::vector<std::string>& lines, const ScreenSize& size);

// What draws lines that fit over whatever is there.
std::string FrameText(const std::vector<std::string>& lines, const ScreenSize& size);

class LiveScreen {
 public:
  // Whether a descriptor is a terminal that can do all this.
  static bool Can(int terminal);

  // `keyboard` is where keys come from, or -1.
  LiveScreen(int terminal, int keyboard) : terminal_(terminal), keyboard_(keyboard) {}
  ~LiveScreen() { Hide(); }
  LiveScreen(const LiveScreen&) = delete;
  LiveScreen& operator=(const LiveScreen&) = delete;

  void Show();
  void Hide();
  // Of printable lines those that fit; the terminal is asked each time how large it is.
  bool Draw(const std::vector<std::string>& lines);

 private:
  ScreenSize Size() const;

  const int terminal_;
  const int keyboard_;
  bool shown_ = false;
  std::optional<termios> before_;  // as the keyboard was
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_LIVE_SCREEN_H_
