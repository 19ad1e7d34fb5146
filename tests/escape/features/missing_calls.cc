#include "tests/escape/features/missing_calls.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/launch/sandbox_profile.h"
#include "confine/seccomp_filter.h"
#include "tests/integration/pipe_text.h"
#include "tests/support/call_report.h"

namespace sockgate::escape {
namespace {

using testing::Pipe;

constexpr std::chrono::seconds kPatience(30);

// So much of a text fits into a pipe that nobody reads yet.
constexpr size_t kMaxText = 4096;

// The fetcher's program, reporting where that kills. Its twin logs there, and nowhere else, while
// calls of a foreign architecture end either: so the instruction is known for what it is.
absl::StatusOr<std::vector<sock_filter>> ReportingProgram() {
  const auto filter = confine::SeccompFilter::Build(launch::FetcherLogProfile());
  if (!filter.ok()) return filter.status();
  std::vector<sock_filter> program = filter->program();
  for (sock_filter& step : program) {
    const bool is_fallback = step.code == (BPF_RET | BPF_K) && step.k == SECCOMP_RET_LOG;
    if (is_fallback) step.k = SECCOMP_RET_USER_NOTIF;
  }
  return program;
}

// Small numbers as they are, flags and addresses as one reads those.
std::string Argument(uint64_t value) {
  return value < 1024 ? absl::StrCat(value) : absl::StrFormat("%#x", value);
}

std::string Describe(const seccomp_data& call) {
  char* name = seccomp_syscall_resolve_num_arch(call.arch, call.nr);
  const std::string known = name != nullptr ? name : absl::StrCat("system call ", call.nr);
  std::free(name);
  std::vector<std::string> arguments;
  for (const uint64_t value : call.args) arguments.push_back(Argument(value));
  return absl::StrCat(known, "(", absl::StrJoin(arguments, ", "), ")");
}

void AddOnce(const std::string& call, std::vector<std::string>* calls) {
  if (std::find(calls->begin(), calls->end(), call) == calls->end()) calls->push_back(call);
}

}  // namespace

absl::StatusOr<MissingCalls> FindMissingCalls(BrokerProcess& broker,
                                              const testing::ConfinedRun::Piece& piece) {
  auto program = ReportingProgram();
  if (!program.ok()) return program.status();
  auto channel = broker.AddWorker("test");
  if (!channel.ok()) return channel.status();
  Pipe pipe;
  testing::ReportingChild child;
  child.prepare = [&] { testing::PrepareWorker(channel->get()); };
  child.filter = *std::move(program);
  child.run = [&] {
    const std::string text = testing::RunPiece(channel->Release(), piece);
    testing::WriteAll(pipe.writer.get(), text.substr(0, kMaxText));
    return EXIT_SUCCESS;
  };
  MissingCalls missing;
  const auto exit_code = testing::RunReporting(
      child,
      [&](pid_t, const seccomp_notif& call) { AddOnce(Describe(call.data), &missing.calls); },
      kPatience);
  if (!exit_code.ok()) return exit_code.status();
  pipe.writer.Reset();
  missing.text = testing::ReadAll(pipe.reader.get());
  if (*exit_code != EXIT_SUCCESS) absl::StrAppend(&missing.text, "[exit ", *exit_code, "]");
  return missing;
}

}  // namespace sockgate::escape
