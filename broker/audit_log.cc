#include "broker/audit_log.h"

#include <algorithm>
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

// What one line tells of an address that has many names.
constexpr size_t kMostNames = 4;

uint64_t Microseconds(std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(duration);
  return static_cast<uint64_t>(whole.count());
}

}  // namespace

AuditLog::AuditLog(std::shared_ptr<AuditSink> sink) : sink_(std::move(sink)) {
  if (sink_->wanted()) buffer_.reserve(2 * kBatchBytes);
}

void AuditLog::Decision(const Attempt& attempt, const Verdict& verdict, Names names) {
  if (!sink_->wanted() || SkipDecided()) return;
  Begin("decision", *attempt.worker, attempt.channel);
  Request(attempt);
  // Words of ours need no escaping.
  absl::StrAppend(&buffer_, ",\"transport\":\"", Word(attempt.request.transport), "\",\"mode\":\"",
                  Word(attempt.request.mode), "\",\"purpose\":\"", Word(attempt.request.purpose),
                  "\"");
  if (!names.empty()) NamesOf(names, attempt.worker->role->policy.FindNamed(verdict.rule, names));
  Said(verdict);
  End();
}

void AuditLog::Completion(const Attempt& attempt, const Result& result, TimePoint now) {
  if (!sink_->wanted()) return;
  if (result.reason == Reason::kAuditLog ? Skip() : SkipDecided()) return;
  Begin("completion", *attempt.worker, attempt.channel);
  Request(attempt);
  Came(result);
  Field("connect_us", Microseconds(now - attempt.begun));
  End();
}

// Each belongs to a decision.
void AuditLog::Connection(const Attempt& attempt, const ConnectionEnd& end) {
  if (!sink_->wanted() || SkipDecided()) return;
  Begin("connection", *attempt.worker, attempt.channel);
  Request(attempt);
  Field("bytes_sent", end.bytes_sent);
  Field("bytes_received", end.bytes_received);
  Field("duration_us", Microseconds(end.duration));
  Field("closed_by", Word(end.by));
  End();
}

void AuditLog::LookupDecision(const Lookup& lookup) {
  if (!sink_->wanted() || SkipDecided()) return;
  Begin("lookup", *lookup.worker, lookup.channel);
  Request(lookup);
  Field("family", Word(lookup.family));
  Said(*lookup.verdict);
  End();
}

void AuditLog::LookupCompletion(const Lookup& lookup, const LookupEnd& end, TimePoint now) {
  const Result& result = end.reply.result;
  if (!sink_->wanted() || (result.reason == Reason::kAuditLog && Skip())) return;
  if (lookup.verdict.has_value() && !lookup.logged) LookupDecision(lookup);
  if (lookup.verdict.has_value() && !lookup.verdict->lets_through()) return;
  if (SkipDecided()) return;
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
  if (!sink_->wanted() || Skip()) return;
  Begin("channel", worker, channel);
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
  if (!sink_->wanted()) return;
  Time("policy");
  Field("change", change);
  Field("policy", policy_);
  Orderer(by);
  Field("detail", detail);
  End();
}

void AuditLog::Orderer(const OrderedBy& by) {
  if (!by.way.empty()) Field("by", by.way);
  if (!by.process.has_value()) return;
  Field("pid", static_cast<uint64_t>(by.process->pid));
  Field("uid", by.process->uid);
}

// Never skipped, as above.
void AuditLog::Revoked(const RevokeOrder& order, size_t connections, const OrderedBy& by) {
  if (!sink_->wanted()) return;
  Time("revoke");
  Orderer(by);
  if (order.role.has_value()) Field("role", *order.role);
  if (order.worker.has_value()) Field("worker", *order.worker);
  if (order.to.has_value()) Field("to", order.to->ToString());
  Field("connections", connections);
  End();
}

void AuditLog::Cage(const CageReport& cage) {
  if (!sink_->wanted()) return;
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
  if (!sink_->wanted() || Skip()) return;
  Time("resolver");
  Field("change", change);
  if (!detail.empty()) Field("detail", detail);
  End();
}

void AuditLog::Flush() {
  if (!buffer_.empty()) buffer_.erase(0, sink_->Write(buffer_));
  if (skipped_ != 0 && !full()) Lost();
}

bool AuditLog::Skip() {
  if (!full()) return false;
  ++skipped_;
  ++lost_;
  return true;
}

void AuditLog::Lost() {
  Time("lost");
  Field("lines", std::exchange(skipped_, 0));
  End();
}

void AuditLog::Begin(absl::string_view event, const WorkerRecord& worker, uint64_t channel) {
  Time(event);
  absl::StrAppend(&buffer_, ",\"worker\":", worker.id, ",\"channel\":", channel,
                  ",\"pid\":", worker.peer.pid, ",\"uid\":", worker.peer.uid, ",\"role\":\"");
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

void AuditLog::End() {
  buffer_.append("}\n");
  ++lines_;
}

}  // namespace sockgate
