#include "tool/progress.h"

#include <cstdio>
#include <utility>

namespace sockgate {
namespace {

constexpr std::chrono::milliseconds kRedraw(100);

// "512 B", "1.5 KiB", "20.0 MiB".
std::string Bytes(double count) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (count >= 1024 && unit + 1 < std::size(kUnits)) {
    count /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", count, kUnits[unit]);
  return text;
}

}  // namespace

Progress::Progress(std::string name, bool on)
    : name_(std::move(name)), on_(on), begun_(std::chrono::steady_clock::now()), drawn_(begun_) {}

Progress::~Progress() {
  if (visible_) std::fputs("\r\033[K", stderr);
}

void Progress::Attach(CURL* easy) {
  if (!on_) return;
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Progress::OnProgress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
}

int Progress::OnProgress(void* self, curl_off_t total, curl_off_t now, curl_off_t /*upload_total*/,
                         curl_off_t /*upload_now*/) {
  static_cast<Progress*>(self)->Draw(total, now);
  return 0;
}

void Progress::Draw(int64_t total, int64_t now) {
  const auto time = std::chrono::steady_clock::now();
  if (time - drawn_ < kRedraw) return;
  drawn_ = time;
  visible_ = true;
  const double seconds = std::chrono::duration<double>(time - begun_).count();
  const std::string rate = Bytes(static_cast<double>(now) / seconds);
  const std::string done = Bytes(static_cast<double>(now));
  if (total > 0) {
    std::fprintf(stderr, "\r\033[K%3lld%%  %s of %s  %s/s  %.40s",
                 static_cast<long long>(now * 100 / total), done.c_str(),
                 Bytes(static_cast<double>(total)).c_str(), rate.c_str(), name_.c_str());
  } else {
    std::fprintf(stderr, "\r\033[K%s  %s/s  %.40s", done.c_str(), rate.c_str(), name_.c_str());
  }
}

}  // namespace sockgate
