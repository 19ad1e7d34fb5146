// Progress: one line on a terminal that says how far a transfer is.
//
// Process: the worker. Draws at most ten times a second, and nothing at all when it is off.

#ifndef SOCKGATE_TOOL_PROGRESS_H_
#define SOCKGATE_TOOL_PROGRESS_H_

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <string>

namespace sockgate {

class Progress {
 public:
  // `name` is what is being fetched.
  Progress(std::string name, bool on);
  // Takes the line away again.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Attach(CURL* easy);

 private:
  static int OnProgress(void* self, curl_off_t total, curl_off_t now, curl_off_t upload_total,
                        curl_off_t upload_now);
  void Draw(int64_t total, int64_t now);

  const std::string name_;
  const bool on_;
  const std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point drawn_;
  bool visible_ = false;
};

}  // namespace sockgate

#endif  // SOCKGATE_TOOL_PROGRESS_H_
