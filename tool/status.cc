#include "tool/status.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tool/control_client.h"
#include "tool/printable_text.h"
#include "tool/status_reader.h"
#include "tool/status_text.h"
#include "tool/status_watch.h"

namespace sockgate {
namespace {

int Fail(const absl::Status& why) {
  const std::string text = PrintableText(why.message());
  std::fprintf(stderr, "sockgate status: %s\n", text.c_str());
  return EXIT_FAILURE;
}

int Print(const std::string& text) {
  const bool printed = std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  return printed ? EXIT_SUCCESS : Fail(absl::UnknownError("cannot write to standard output"));
}

}  // namespace

int Status(const StatusOptions& options) {
  if (options.watch) return WatchStatus(options);
  const auto reply = AskBroker(options.control, "status");
  if (!reply.ok()) return Fail(reply.status());
  // In ASCII: what a terminal would take for a command is escaped.
  if (options.json) return Print(reply->dump(-1, ' ', /*ensure_ascii=*/true) + "\n");
  const auto reading = ReadStatus(*reply);
  if (!reading.ok()) return Fail(reading.status());
  return Print(absl::StrCat(absl::StrJoin(StatusLines(*reading), "\n"), "\n"));
}

}  // namespace sockgate
