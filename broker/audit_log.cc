#include "broker/audit_log.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sockgate {
namespace {

bool IsPlain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
}

// As it stands in the line. Nothing that a worker says is longer, but a file's name or a role's may
// be. No line has more than two texts that are not words of ours, or the names of an address and
// one, and without them takes less than 1 KiB; so every line fits into PIPE_BUF.
constexpr size_t kMaxTextBytes = 1024;
constexpr size_t kMaxOverrun = 8;  // an escape that began before the end, and the dots
static_assert(2 * (kMaxTextBytes + kMaxOverrun) + 1024 < PIPE_BUF);

void AppendEscaped(std::string* out, absl::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  if (text.size() <= kMaxTextBytes && std::all_of(text.begin(), text.end(), IsPlain)) {
    out->append(text.data(), text.size());
    return;
  }
  const size_t room = out->size() + kMaxTextBytes;
  for (const char c : text) {
    if (out->size() >= room) {
      absl::StrAppend(out, "...");
      return;
    }
    const auto byte = static_cast<unsigned char>(c);
    if (IsPlain(c)) {
      out->push_back(c);
    } else if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else {
      absl::StrAppend(out, "\\u00");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    }
  }
}

// A write of at most PIPE_BUF bytes to a pipe that polls writable does not block, and is never torn
// (pipe(7)); to a file any size may be written.
size_t LargestWrite(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? SSIZE_MAX : PIPE_BUF;
}

// What one line tells of an address that has many names.
constexpr size_t kMostNames = 4;

// The name that the rule is about; null: none of them.
const HostName* FindDecisive(const WorkerRecord& worker, uint32_t rule, Names names) {
  const std::vector<Rule>& rules = worker.role->policy.rules();
  if (rule == 0 || rule > rules.size()) return nullptr;
  const auto* pattern = std::get_if<HostPattern>(&rules[rule - 1].target);
  if (pattern == nullptr) return nullptr;
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const HostName* name) { return pattern->Matches(*name); });
  return found == names.end() ? nullptr : *found;
}

uint64_t Microseconds(std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(duration);
  return static_cast<uint64_t>(whole.count());
}

// A pipe whose reader has gone polls writable and broken at once, and a write to it raises SIGPIPE.
bool Writable(int fd) {
  pollfd entry = {fd, POLLOUT, 0};
  return poll(&entry, 1, 0) == 1 && entry.revents == POLLOUT;
}

}  // namespace

AuditLog::AuditLog(UniqueFd fd) : fd_(std::move(fd)), largest_write_(LargestWrite(fd_.get())) {
  if (fd_.valid()) buffer_.reserve(2 * kBatchBytes);
}

void AuditLog::Decision(const Attempt& attempt, const Verdict& verdict, Names names) {
  if (!Wants()) return;
  Begin("decision", *attempt.worker, attempt.channel);
  Request(attempt);
  // Words of ours need no escaping.
  absl::StrAppend(&buffer_, ",\"transport\":\"", Word(attempt.request.transport), "\",\"mode\":\"",
                  Word(attempt.request.mode), "\",\"purpose\":\"", Word(attempt.request.purpose),
                  "\"");
  if (!names.empty()) NamesOf(names, FindDecisive(*attempt.worker, verdict.rule, names));
  Said(verdict);
  End();
}

void AuditLog::Completion(const Attempt& attempt, const Result& result, TimePoint now) {
  if (!(result.reason == Reason::kAuditLog ? WantsEndless() : Wants())) return;
  Begin("completion", *attempt.worker, attempt.channel);
  Request(attempt);
  Came(result);
  Field("connect_us", Microseconds(now - attempt.begun));
  End();
}

void AuditLog::LookupDecision(const Lookup& lookup) {
  if (!Wants()) return;
  Begin("lookup", *lookup.worker, lookup.channel);
  Request(lookup);
  Field("family", Word(lookup.family));
  Said(*lookup.verdict);
  End();
}

void AuditLog::LookupCompletion(const Lookup& lookup, const LookupEnd& end, TimePoint now) {
  const Result& result = end.reply.result;
  if (lookup.verdict.has_value() && !lookup.logged) LookupDecision(lookup);
  if (lookup.verdict.has_value() && !lookup.verdict->lets_through()) return;
  if (!(result.reason == Reason::kAuditLog ? WantsEndless() : Wants())) return;
  Begin("answer", *lookup.worker, lookup.channel);
  Request(lookup);
  Came(result);
  if (end.source != LookupEnd::Source::kNone) {
    Field("source", end.source == LookupEnd::Source::kCache ? "cache" : "resolver");
    Field("v4", end.reply.v4_count);
    Field("v6", end.reply.v6_count);
    if (result.outcome == Outcome::kDenied) Field("rule", result.rule);
  }
  if (end.dropped != 0) Dropped(end);
  if (end.would_drop != 0) Field("would_drop", end.would_drop);
  Field("lookup_us", Microseconds(now - lookup.begun));
  End();
}

// An address has nothing to escape.
void AuditLog::Dropped(const LookupEnd& end) {
  Field("dropped", end.dropped);
  const char* before = ",\"dropped_addresses\":[\"";
  for (size_t i = 0; i < std::min<size_t>(end.dropped, end.first_dropped.size()); ++i) {
    absl::StrAppend(&buffer_, before, end.first_dropped[i].ToString());
    before = "\",\"";
  }
  buffer_.append("\"]");
}

void AuditLog::Channel(const WorkerRecord& worker, uint64_t channel, absl::string_view event,
                       absl::string_view detail) {
  if (!WantsEndless()) return;
  Begin("channel", worker, channel);
  Field("pid", static_cast<uint64_t>(worker.peer.pid));
  Field("uid", worker.peer.uid);
  Field("change", event);
  if (!detail.empty()) Field("detail", detail);
  End();
}

void AuditLog::PolicyLoaded(uint64_t number, absl::string_view detail, const OrderedBy& by) {
  policy_ = number;
  PolicyChange("loaded", detail, by);
}

void AuditLog::PolicyRejected(absl::string_view detail, const OrderedBy& by) {
  PolicyChange("rejected", detail, by);
}

// Never skipped: no worker can cause it.
void AuditLog::PolicyChange(absl::string_view change, absl::string_view detail,
                            const OrderedBy& by) {
  if (!fd_.valid()) return;
  Time("policy");
  Field("change", change);
  Field("policy", policy_);
  if (!by.way.empty()) Field("by", by.way);
  if (by.process.has_value()) {
    Field("pid", static_cast<uint64_t>(by.process->pid));
    Field("uid", by.process->uid);
  }
  Field("detail", detail);
  End();
}

void AuditLog::Cage(const CageReport& cage) {
  if (!fd_.valid()) return;
  Time("cage");
  Field("level", confine::Word(cage.level));
  Field("uid", cage.user);
  Field("gid", cage.group);
  Field("capabilities", confine::CapabilityNames(cage.capabilities));
  Field("no_new_privs", cage.no_new_privileges ? 1 : 0);
  Field("not_dumpable", cage.undumpable ? 1 : 0);
  Field("landlock_abi", static_cast<uint64_t>(cage.landlock_abi));
  Field("seccomp", cage.filtered ? 1 : 0);
  End();
}

void AuditLog::Resolver(absl::string_view change, absl::string_view detail) {
  if (!WantsEndless()) return;
  Time("resolver");
  Field("change", change);
  if (!detail.empty()) Field("detail", detail);
  End();
}

void AuditLog::Flush() {
  size_t written = begun_;
  while (written < buffer_.size() && Writable(fd_.get())) {
    const ssize_t size = write(fd_.get(), buffer_.data() + written, Chunk(written));
    if (size < 0 && errno != EINTR) break;
    if (size > 0) written += static_cast<size_t>(size);
  }
  // Of a line that a full disk has cut the beginning is kept, for another file to have it whole.
  const size_t whole = written == 0 ? 0 : buffer_.rfind('\n', written - 1) + 1;
  buffer_.erase(0, whole);
  begun_ = written - whole;
  if (skipped_ != 0 && !full()) Lost();
}

UniqueFd AuditLog::Swap(UniqueFd fd) {
  Flush();
  begun_ = 0;
  largest_write_ = LargestWrite(fd.get());
  std::swap(fd_, fd);
  return fd;
}

size_t AuditLog::Chunk(size_t begin) const {
  const auto most = absl::string_view(buffer_).substr(begin, largest_write_);
  const size_t end = most.rfind('\n');
  return end == absl::string_view::npos ? most.size() : end + 1;
}

bool AuditLog::Wants() { return overflow_ == AuditOverflow::kDrop ? WantsEndless() : fd_.valid(); }

bool AuditLog::WantsEndless() {
  if (!fd_.valid()) return false;
  if (full()) ++skipped_;
  return !full();
}

void AuditLog::Lost() {
  Time("lost");
  Field("lines", std::exchange(skipped_, 0));
  End();
}

void AuditLog::Begin(absl::string_view event, const WorkerRecord& worker, uint64_t channel) {
  Time(event);
  absl::StrAppend(&buffer_, ",\"worker\":", worker.id, ",\"channel\":", channel, ",\"role\":\"");
  AppendEscaped(&buffer_, worker.role->name);
  buffer_.push_back('"');
}

void AuditLog::Field(absl::string_view name, absl::string_view word) {
  absl::StrAppend(&buffer_, ",\"", name, "\":\"");
  AppendEscaped(&buffer_, word);
  buffer_.push_back('"');
}

void AuditLog::Field(absl::string_view name, uint64_t number) {
  absl::StrAppend(&buffer_, ",\"", name, "\":", number);
}

void AuditLog::Request(const Attempt& attempt) {
  absl::StrAppend(&buffer_, ",\"request\":", attempt.request_id, ",\"target\":\"");
  const Endpoint& target = attempt.request.endpoint;
  if (target.is_ip()) {
    target.AppendTo(&buffer_);  // has nothing to escape
  } else {
    scratch_.clear();
    target.AppendTo(&scratch_);
    AppendEscaped(&buffer_, scratch_);
  }
  buffer_.push_back('"');
}

void AuditLog::Request(const Lookup& lookup) {
  Field("request", lookup.request_id);
  Field("name", lookup.text());
}

void AuditLog::Said(const Verdict& verdict) {
  absl::StrAppend(&buffer_, ",\"verdict\":\"", Word(verdict.decision),
                  "\",\"rule\":", verdict.rule);
  if (verdict.line != 0) Field("line", verdict.line);
  absl::StrAppend(&buffer_, ",\"reason\":\"", Word(verdict.reason), "\",\"policy\":", policy_);
}

void AuditLog::Came(const Result& result) {
  Field("outcome", Word(result.outcome));
  if (result.reason != Reason::kNone) Field("reason", Word(result.reason));
  if (result.error != 0) Field("errno", result.error);
}

// The decisive one comes first, then those that were looked up last. A HostName has nothing to
// escape.
void AuditLog::NamesOf(Names names, const HostName* decisive) {
  const char* before = ",\"names\":[\"";
  size_t told = 0;
  const auto tell = [&](const HostName& name) {
    absl::StrAppend(&buffer_, before, name.text());
    before = "\",\"";
    ++told;
  };
  if (decisive != nullptr) tell(*decisive);
  for (size_t i = names.size(); i > 0 && told < kMostNames; --i) {
    if (names[i - 1] != decisive) tell(*names[i - 1]);
  }
  buffer_.append("\"]");
  if (told < names.size()) Field("more_names", names.size() - told);
}

void AuditLog::Time(absl::string_view event) {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (now.tv_sec != second_) {
    second_ = now.tv_sec;
    tm utc;
    gmtime_r(&second_, &utc);
    strftime(second_text_.data(), second_text_.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  }
  absl::StrAppend(&buffer_, "{\"time\":\"", second_text_.data(), ".",
                  absl::Dec(now.tv_nsec / 1000, absl::kZeroPad6), "Z\",\"event\":\"", event, "\"");
}

void AuditLog::End() { buffer_.append("}\n"); }

}  // namespace sockgate
