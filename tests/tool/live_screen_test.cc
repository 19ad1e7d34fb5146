#include "tool/live_screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/check.h"
#include "proto/unique_fd.h"

namespace sockgate {
namespace {

using ::testing::ElementsAre;

// A terminal of a size, and what is drawn on it.
class Terminal {
 public:
  Terminal(unsigned short rows, unsigned short columns) {
    int master = -1;
    int terminal = -1;
    const winsize size = {rows, columns, 0, 0};
    termios raw = {};  // adds nothing to what is drawn
    raw.c_lflag = ECHO | ICANON;
    SOCKGATE_CHECK(openpty(&master, &terminal, nullptr, &raw, &size) == 0);
    master_.Reset(master);
    terminal_.Reset(terminal);
  }
  int fd() const { return terminal_.get(); }
  std::string Drawn() const {
    char text[4096];
    const ssize_t size = read(master_.get(), text, sizeof(text));
    return std::string(text, static_cast<size_t>(size));
  }
  bool Echoes() const {
    termios now;
    SOCKGATE_CHECK(tcgetattr(fd(), &now) == 0);
    return (now.c_lflag & ECHO) != 0;
  }
  void HangUp() { master_.Reset(); }

 private:
  UniqueFd master_;
  UniqueFd terminal_;
};

TEST(FitLines, WhatFitsIsLeftAlone) {
  EXPECT_THAT(FitLines({"abc", "de"}, {2, 3}), ElementsAre("abc", "de"));
  EXPECT_THAT(FitLines({}, {2, 3}), ElementsAre());
}

TEST(FitLines, WhatIsTooHighIsCutAndSaidToBe) {
  EXPECT_THAT(FitLines({"a", "b", "c", "d"}, {3, 40}), ElementsAre("a", "b", "[2 more lines]"));
  EXPECT_THAT(FitLines({"a", "b"}, {1, 40}), ElementsAre("[2 more lines]"));
  EXPECT_THAT(FitLines({"a", "b"}, {0, 40}), ElementsAre("[2 more lines]"));
}

TEST(FitLines, WhatIsTooWideEndsInASignThatIsExplained) {
  EXPECT_THAT(FitLines({"12345678901234567890123", "x"}, {3, 22}),
              ElementsAre("123456789012345678901>", "x", "[what ends in > goes >"));
}

TEST(FitLines, TheExplanationTakesARowItself) {
  const std::string wide(100, 'w');
  EXPECT_THAT(FitLines({wide, "x"}, {2, 60}),
              ElementsAre(std::string(59, 'w') + ">", "[1 more line; what ends in > goes on]"));
}

TEST(FitLines, EveryFrameFitsEverySize) {
  const std::vector<std::string> lines(7, "some line of text");
  for (size_t rows = 1; rows < 10; ++rows) {
    for (size_t columns = 0; columns < 20; ++columns) {
      const auto fit = FitLines(lines, {rows, columns});
      EXPECT_LE(fit.size(), rows);
      for (const std::string& line : fit) EXPECT_LE(line.size(), columns);
    }
  }
}

TEST(FrameText, RowsAreErasedBehindTheirTextAndTheRestBelow) {
  EXPECT_EQ(FrameText({"a", "b"}, {3, 4}), "\033[Ha\033[K\r\nb\033[K\r\n\033[J");
  EXPECT_EQ(FrameText({}, {3, 4}), "\033[H\033[J");
}

TEST(FrameText, TheLastCharacterOfAFullRowIsNotErased) {
  EXPECT_EQ(FrameText({"abcd", "efgh"}, {2, 4}), "\033[Habcd\r\nefgh");
}

TEST(LiveScreen, GivesTheTerminalBackAsItWas) {
  const Terminal terminal(24, 80);
  {
    LiveScreen screen(terminal.fd(), terminal.fd());
    screen.Show();
    EXPECT_EQ(terminal.Drawn(), "\033[?1049h\033[?25l\033[?7l");
    EXPECT_FALSE(terminal.Echoes());
  }
  EXPECT_EQ(terminal.Drawn(), "\033[?7h\033[?25h\033[?1049l");
  EXPECT_TRUE(terminal.Echoes());
}

TEST(LiveScreen, ShowsAndHidesOnce) {
  const Terminal terminal(24, 80);
  {
    LiveScreen screen(terminal.fd(), -1);
    screen.Show();
    screen.Show();
    screen.Hide();
    screen.Hide();
    EXPECT_TRUE(terminal.Echoes());
  }
  EXPECT_EQ(terminal.Drawn(), "\033[?1049h\033[?25l\033[?7l\033[?7h\033[?25h\033[?1049l");
}

TEST(LiveScreen, DrawsWhatFitsTheTerminalAsItIsThen) {
  const Terminal terminal(2, 80);
  LiveScreen screen(terminal.fd(), -1);
  EXPECT_TRUE(screen.Draw({"a", "b", "c"}));
  EXPECT_EQ(terminal.Drawn(), "\033[Ha\033[K\r\n[2 more lines]\033[K");
  const winsize size = {3, 80, 0, 0};
  ASSERT_EQ(ioctl(terminal.fd(), TIOCSWINSZ, &size), 0);
  EXPECT_TRUE(screen.Draw({"a", "b", "c"}));
  EXPECT_EQ(terminal.Drawn(), "\033[Ha\033[K\r\nb\033[K\r\nc\033[K");
}

TEST(LiveScreen, ATerminalWithoutASizeHasTheUsualOne) {
  const Terminal terminal(0, 0);
  LiveScreen screen(terminal.fd(), -1);
  EXPECT_TRUE(screen.Draw({std::string(81, 'x')}));
  EXPECT_EQ(terminal.Drawn(),
            "\033[H" + std::string(79, 'x') + ">\r\n[what ends in > goes on]\033[K\r\n\033[J");
}

TEST(LiveScreen, ATerminalThatHasGoneIsAFailure) {
  Terminal terminal(24, 80);
  LiveScreen screen(terminal.fd(), -1);
  terminal.HangUp();
  EXPECT_FALSE(screen.Draw({"a"}));
}

TEST(LiveScreen, NeedsATerminalThatCan) {
  const Terminal terminal(24, 80);
  setenv("TERM", "xterm", 1);
  EXPECT_TRUE(LiveScreen::Can(terminal.fd()));
  for (const char* kind : {"dumb", ""}) {
    setenv("TERM", kind, 1);
    EXPECT_FALSE(LiveScreen::Can(terminal.fd()));
  }
  unsetenv("TERM");
  EXPECT_FALSE(LiveScreen::Can(terminal.fd()));
  setenv("TERM", "xterm", 1);
  int pipes[2];
  ASSERT_EQ(pipe(pipes), 0);
  const UniqueFd reader(pipes[0]);
  const UniqueFd writer(pipes[1]);
  EXPECT_FALSE(LiveScreen::Can(writer.get()));
}

}  // namespace
}  // namespace sockgate
