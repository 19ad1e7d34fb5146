#include "tool/fetch/fetch_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tool/fetch/terminal_text.h"
#include "tool/human_number.h"
#include "tool/write_all.h"

namespace sockgate {
namespace {

constexpr std::chrono::seconds kWindow(5);
constexpr size_t kWidestBar = 40;
constexpr size_t kNarrowestBar = 8;

size_t Columns(int terminal) {
  winsize size = {};
  if (ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

// "[=====>    ]", or a block that goes to and fro.
std::string Bar(const std::optional<double>& fraction, unsigned beat, size_t columns) {
  const size_t inside = columns - 2;
  std::string bar(inside, ' ');
  if (fraction.has_value()) {
    const auto full = static_cast<size_t>(*fraction * static_cast<double>(inside));
    std::fill_n(bar.begin(), full, '=');
    if (full < inside) bar[full] = '>';
  } else {
    const size_t way = inside - 3;
    const size_t at = beat % (2 * way);
    bar.replace(at < way ? at : 2 * way - at, 3, "<=>");
  }
  return absl::StrCat("[", bar, "]");
}

std::string Eta(const FetchTotals& totals, double bytes_per_second) {
  if (totals.known_size <= totals.known_now || !(bytes_per_second > 0)) return "";
  if (totals.known + totals.done < totals.files) return "";
  const double left = static_cast<double>(totals.known_size - totals.known_now) / bytes_per_second;
  if (left > 99 * 86400.0) return "";
  return absl::StrCat("  ETA ", HumanSeconds(static_cast<uint64_t>(std::ceil(left))));
}

std::string HowMuch(const FetchTotals& totals) {
  std::string text;
  if (totals.files != 1) absl::StrAppend(&text, totals.done, "/", totals.files, " files  ");
  const auto fraction = totals.Fraction();
  if (totals.files == 1 && fraction.has_value()) {
    absl::StrAppend(&text, absl::StrFormat("%3d%%  ", static_cast<int>(*fraction * 100)));
  }
  absl::StrAppend(&text, HumanBytes(totals.bytes));
  if (totals.files == 1 && totals.known == 1) {
    absl::StrAppend(&text, " of ", HumanBytes(totals.known_size));
  }
  return text;
}

std::string Rest(const FetchTotals& totals) {
  std::string text;
  if (totals.failed != 0) absl::StrAppend(&text, "  ", totals.failed, " failed");
  if (totals.waiting != 0) absl::StrAppend(&text, "  ", totals.waiting, " to retry");
  if (totals.files == 1) absl::StrAppend(&text, "  ", TerminalLine(totals.name));
  return text;
}

// Whole characters of a text in UTF-8, each taken for one column.
std::string Cut(const std::string& text, size_t columns) {
  size_t column = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (column++ == columns) return text.substr(0, i);
  }
  return text;
}

}  // namespace

std::optional<double> FetchTotals::Fraction() const {
  double now = static_cast<double>(done);
  if (known_size != 0 && known != 0) {
    now += static_cast<double>(known) * static_cast<double>(known_now) /
           static_cast<double>(known_size);
  } else if (files <= 1 && done == 0) {
    return std::nullopt;
  }
  return files == 0 ? 1 : std::min(now / static_cast<double>(files), 1.0);
}

std::string BarText(const FetchTotals& totals, double bytes_per_second, unsigned beat,
                    size_t columns) {
  const auto rate = static_cast<uint64_t>(std::max(bytes_per_second, 0.0));
  const std::string text =
      absl::StrCat(HowMuch(totals), "  ", HumanBytes(rate), "/s", Eta(totals, bytes_per_second));
  const std::string rest = Rest(totals);
  // The last column stays free: some terminals go on in the next line otherwise.
  const size_t most = columns == 0 ? 0 : columns - 1;
  const size_t taken = text.size() + std::min(rest.size(), most / 3) + 2;
  const size_t left = most > taken ? most - taken : 0;
  if (left < kNarrowestBar) return Cut(text + rest, most);
  return Cut(
      absl::StrCat(Bar(totals.Fraction(), beat, std::min(left, kWidestBar)), "  ", text, rest),
      most);
}

std::string SummaryText(const FetchTotals& totals, double seconds) {
  std::string text;
  if (totals.files == 1) {
    text = totals.done == 0 ? "not finished" : totals.failed == 0 ? "done" : "failed";
  } else {
    absl::StrAppend(&text, totals.done - totals.failed, " of ", totals.files, " files");
    if (totals.failed != 0) absl::StrAppend(&text, ", ", totals.failed, " failed");
  }
  const double rate = seconds > 0 ? static_cast<double>(totals.bytes) / seconds : 0;
  return absl::StrCat(text, ", ", HumanBytes(totals.bytes), " in ",
                      HumanMicroseconds(static_cast<uint64_t>(seconds * 1e6)), ", ",
                      HumanBytes(static_cast<uint64_t>(rate)), "/s");
}

FetchBar::FetchBar(int terminal, bool on) : terminal_(terminal), on_(on) {}

void FetchBar::Draw(const FetchTotals& totals) {
  const auto now = Clock::now();
  if (!on_ || now - drawn_ < kRedraw) return;
  drawn_ = now;
  visible_ = true;
  const std::string text = BarText(totals, Rate(now, totals.bytes), beat_++, Columns(terminal_));
  WriteAll(terminal_, absl::StrCat("\r", text, "\033[K"));
}

void FetchBar::Hide() {
  if (!visible_) return;
  visible_ = false;
  WriteAll(terminal_, "\r\033[K");
}

void FetchBar::Finish(const FetchTotals& totals, const std::string& before) {
  if (!on_) return;
  Hide();
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  WriteAll(terminal_, absl::StrCat(before, SummaryText(totals, seconds), "\n"));
}

double FetchBar::Rate(Clock::time_point now, uint64_t bytes) {
  while (seen_.size() > 1 && now - seen_.front().first > kWindow) seen_.pop_front();
  seen_.emplace_back(now, bytes);
  const auto& [since, before] = seen_.size() == 1 ? std::pair(begun_, uint64_t{0}) : seen_.front();
  const double seconds = std::chrono::duration<double>(now - since).count();
  return seconds > 0 ? static_cast<double>(bytes - std::min(before, bytes)) / seconds : 0;
}

}  // namespace sockgate
