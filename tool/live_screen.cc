#include "tool/live_screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "tool/write_all.h"

namespace sockgate {
namespace {

// The other screen, no cursor, and no going on in the next row: a terminal that was made narrower
// since it was asked must not scroll.
constexpr absl::string_view kEnter = "\033[?1049h\033[?25l\033[?7l";
constexpr absl::string_view kLeave = "\033[?7h\033[?25h\033[?1049l";

// A line that goes on beyond the last column ends in '>'.
std::string CutLine(const std::string& line, size_t columns) {
  if (line.size() <= columns) return line;
  return columns == 0 ? "" : line.substr(0, columns - 1) + ">";
}

std::string LeftOut(size_t lines, bool narrow) {
  std::vector<std::string> notes;
  if (lines != 0) notes.push_back(absl::StrCat(lines, lines == 1 ? " more line" : " more lines"));
  if (narrow) notes.emplace_back("what ends in > goes on");
  return absl::StrCat("[", absl::StrJoin(notes, "; "), "]");
}

}  // namespace

std::vector<std::string> FitLines(const std::vector<std::string>& lines, const ScreenSize& size) {
  const auto too_wide = [&](const std::string& line) { return line.size() > size.columns; };
  const bool narrow = std::any_of(lines.begin(), lines.end(), too_wide);
  const bool all = lines.size() + (narrow ? 1 : 0) <= size.rows;
  const size_t shown = all ? lines.size() : std::max(size.rows, size_t{1}) - 1;
  std::vector<std::string> fit;
  for (size_t i = 0; i < shown; ++i) fit.push_back(CutLine(lines[i], size.columns));
  if (narrow || !all) fit.push_back(CutLine(LeftOut(lines.size() - shown, narrow), size.columns));
  return fit;
}

// Each row is erased behind its text and not before it, or it would flicker. At the end of a full
// row the cursor still stands on its last character, which must stay.
std::string FrameText(const std::vector<std::string>& lines, const ScreenSize& size) {
  std::string text = "\033[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i != 0) text += "\r\n";
    text += lines[i];
    if (lines[i].size() < size.columns) text += "\033[K";
  }
  if (lines.size() < size.rows) text += lines.empty() ? "\033[J" : "\r\n\033[J";
  return text;
}

bool LiveScreen::Can(int terminal) {
  const char* kind = getenv("TERM");
  return isatty(terminal) == 1 && kind != nullptr && *kind != '\0' &&
         absl::string_view(kind) != "dumb";
}

void LiveScreen::Show() {
  if (shown_) return;
  shown_ = true;
  WriteAll(terminal_, kEnter);
  termios now;
  if (keyboard_ < 0 || tcgetattr(keyboard_, &now) != 0) return;
  before_ = now;
  now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON);
  now.c_cc[VMIN] = 1;
  now.c_cc[VTIME] = 0;
  tcsetattr(keyboard_, TCSADRAIN, &now);
}

void LiveScreen::Hide() {
  if (!shown_) return;
  shown_ = false;
  // What was typed meanwhile was not meant for the shell.
  if (before_.has_value()) tcsetattr(keyboard_, TCSAFLUSH, &*before_);
  WriteAll(terminal_, kLeave);
}

bool LiveScreen::Draw(const std::vector<std::string>& lines) {
  const ScreenSize size = Size();
  return WriteAll(terminal_, FrameText(FitLines(lines, size), size));
}

ScreenSize LiveScreen::Size() const {
  winsize size = {};
  if (ioctl(terminal_, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

}  // namespace sockgate
