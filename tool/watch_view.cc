#include "tool/watch_view.h"

#include <signal.h>

#include <chrono>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tool/printable_text.h"
#include "tool/status_reader.h"

namespace sockgate {
namespace {

bool Print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

}  // namespace

bool JsonView::Answered(const nlohmann::json& reply) {
  said_.clear();
  return Print(reply.dump(-1, ' ', /*ensure_ascii=*/true) + "\n");
}

bool JsonView::Silent(const std::string& why) {
  if (said_ == why) return true;
  said_ = why;
  const std::string text = PrintableText(why);
  std::fprintf(stderr, "sockgate status: %s; trying again\n", text.c_str());
  return true;
}

bool TextView::Answered(const nlohmann::json& reply) {
  auto reading = ReadStatus(reply);
  if (!reading.ok()) return Silent(std::string{reading.status().message()});
  broker_.Answered(*std::move(reading), std::chrono::steady_clock::now());
  return ShowAgain();
}

bool TextView::Silent(const std::string& why) {
  broker_.Silent(why);
  return ShowAgain();
}

bool TextView::ShowAgain() { return Show(broker_.Lines(std::chrono::steady_clock::now())); }

bool PlainView::Show(const std::vector<std::string>& lines) {
  return Print(absl::StrCat(absl::StrJoin(lines, "\n"), "\n\n"));
}

ScreenView::ScreenView(const std::string& path, int terminal, int keyboard)
    : TextView(path, WatchedBroker::Silence::kLastAnswer), screen_(terminal, keyboard) {
  screen_.Show();
}

bool ScreenView::Suspend() {
  screen_.Hide();
  raise(SIGSTOP);
  screen_.Show();
  return ShowAgain();
}

bool ScreenView::Show(const std::vector<std::string>& lines) { return screen_.Draw(lines); }

}  // namespace sockgate
