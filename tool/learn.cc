#include "tool/learn.h"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "tool/bounded_lines.h"
#include "tool/learned_policy.h"
#include "tool/seen_decision.h"

namespace sockgate {
namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File Open(const std::string& path) {
  if (path != "-") return File(std::fopen(path.c_str(), "re"), &std::fclose);
  return File(stdin, [](std::FILE*) { return 0; });
}

void Say(absl::string_view text) {
  const std::string line = absl::StrCat("sockgate learn: ", text, "\n");
  std::fputs(line.c_str(), stderr);
}

int Fail(absl::string_view text) {
  Say(text);
  return EXIT_FAILURE;
}

// A rule on a name wants ports.
constexpr char kNoPorts[] = ", for which no port is known: add rules on them by hand";

// What a log has, and what is wrong with it.
class Lesson {
 public:
  explicit Lesson(const LearnOptions& options) : options_(options) {}

  void Read(BoundedLines* lines) {
    while (lines->Next()) {
      ++lines_;
      if (lines->too_long()) {
        Skip(lines->number(), "is longer than 64 KiB");
        continue;
      }
      const auto seen = ParseAuditLine(lines->line());
      if (!seen.ok()) {
        Skip(lines->number(), seen.status().message());
      } else if (seen->has_value()) {
        Count(**seen);
      } else if (options_.denied && TellsOfDeniedName(lines->line())) {
        ++denied_names_;
      }
    }
    if (skipped_ > kMostShown) Say(absl::StrCat(skipped_, " lines are skipped in all"));
  }

  const LearnedPolicy& policy() const { return policy_; }

  // Why there is no policy.
  std::string Lack() const {
    if (counted_ == 0 && denied_names_ != 0)
      return absl::StrCat("there are only lookups of names", kNoPorts);
    if (counted_ != 0) return "no policy can have a role of a name that was seen";
    if (denied_ != 0) return "nothing was let through; --denied learns from what was denied";
    if (!other_roles_.empty()) {
      return absl::StrCat("no decision for role ", options_.role,
                          "; there are some for: ", absl::StrJoin(other_roles_, ", "));
    }
    return lines_ == 0 ? "the log is empty" : "there is no decision to learn from";
  }

  void SayWhatIsLeftOut() const {
    if (denied_names_ != 0)
      Say(absl::StrCat(denied_names_, " lookups of names were denied", kNoPorts));
    if (untold_ != 0) {
      Say(absl::StrCat("the log does not tell all names that led to an address, in ", untold_,
                       " decisions; those names are left out"));
    }
    if (denied_ == 0) return;
    Say(absl::StrCat(denied_, " decisions to deny are left out; --denied learns from them too"));
  }

 private:
  // A log of another program would fill the terminal.
  static constexpr uint64_t kMostShown = 10;

  void Count(const SeenDecision& seen) {
    if (!options_.role.empty() && seen.role != options_.role) {
      if (other_roles_.size() < kMostShown) other_roles_.insert(seen.role);
      return;
    }
    if (seen.decision == Decision::kDeny && !options_.denied) {
      ++denied_;
      return;
    }
    ++counted_;
    untold_ += seen.more_names != 0 ? 1 : 0;
    policy_.Add(seen);
  }

  void Skip(uint64_t line, absl::string_view fault) {
    if (++skipped_ > kMostShown) return;
    Say(absl::StrCat(options_.audit_log, ":", line, ": skipped: the line ", fault));
  }

  const LearnOptions& options_;
  LearnedPolicy policy_;
  std::set<std::string> other_roles_;
  uint64_t lines_ = 0;
  uint64_t counted_ = 0;
  uint64_t denied_ = 0;
  uint64_t untold_ = 0;
  uint64_t denied_names_ = 0;
  uint64_t skipped_ = 0;
};

}  // namespace

int Learn(const LearnOptions& options) {
  const File file = Open(options.audit_log);
  if (file == nullptr) {
    return Fail(absl::StrCat("cannot read ", options.audit_log, ": ", std::strerror(errno)));
  }
  BoundedLines lines(file.get());
  Lesson lesson(options);
  lesson.Read(&lines);
  // What half a log tells is less than what was seen.
  if (std::ferror(file.get()) != 0) {
    return Fail(absl::StrCat("cannot read ", options.audit_log, " to its end"));
  }
  if (!lesson.policy().has_role()) return Fail(lesson.Lack());
  lesson.SayWhatIsLeftOut();
  // A policy that was cut off might be a policy still.
  const bool printed = std::fputs(lesson.policy().ToString().c_str(), stdout) >= 0;
  if (std::fflush(stdout) != 0 || !printed) return Fail("standard output cannot be written");
  return EXIT_SUCCESS;
}

}  // namespace sockgate
