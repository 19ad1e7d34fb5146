#include "tool/metrics.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "tool/control_client.h"
#include "tool/printable_text.h"
#include "tool/prometheus_text.h"
#include "tool/replaced_file.h"
#include "tool/status_reader.h"

namespace sockgate {
namespace {

int Fail(const absl::Status& why) {
  const std::string text = PrintableText(why.message());
  std::fprintf(stderr, "sockgate metrics: %s\n", text.c_str());
  return EXIT_FAILURE;
}

absl::StatusOr<std::string> TextOf(const std::string& control) {
  const auto reply = AskBroker(control, "status");
  if (!reply.ok()) return reply.status();
  const auto reading = ReadStatus(*reply);
  if (!reading.ok()) return reading.status();
  return PrometheusText(*reading);
}

absl::Status Print(const std::string& text) {
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? absl::OkStatus() : absl::ErrnoToStatus(errno, "cannot write to standard output");
}

}  // namespace

int Metrics(const MetricsOptions& options) {
  const auto text = TextOf(options.control);
  if (!text.ok()) return Fail(text.status());
  const absl::Status written =
      options.output.empty() ? Print(*text) : ReplaceFile(options.output, *text);
  return written.ok() ? EXIT_SUCCESS : Fail(written);
}

}  // namespace sockgate
