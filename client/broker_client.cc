#include "client/broker_client.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/broker_path.h"
#include "proto/handover.h"

namespace sockgate {
namespace {

using Kind = ConnectError::Kind;
using Clock = std::chrono::steady_clock;

// How much longer than its own deadline the broker may take to say so.
constexpr std::chrono::milliseconds kReplyGrace(2000);

// For all attempts of one call together, so that a broker which ends each channel at once is not
// asked for ever.
constexpr int kMostAttempts = 8;

// PROTOCOL.md, "Resolve".
constexpr std::chrono::milliseconds kLongestLookup(kMaxLookupMs);

// Counts the forks between this process and the one that loaded the library, without a system call
// a request.
std::atomic<uint32_t> g_process_generation = 0;

uint32_t ProcessGeneration() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { ++g_process_generation; });
  static_cast<void>(registered);
  return g_process_generation.load(std::memory_order_relaxed);
}

bool Passes(const ConnectError& error) {
  return error.kind == Kind::kLimited &&
         (error.reason == Reason::kLookups || error.reason == Reason::kRate ||
          error.reason == Reason::kDescriptors);
}

// What cannot be a name must not be sent: the broker would end the channel.
bool CanBeName(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find('\0') == absl::string_view::npos;
}

AheadTarget Bounded(AheadTarget target) {
  uint32_t* const deadline_ms = &target.request.deadline_ms;
  *deadline_ms = std::clamp<uint32_t>(*deadline_ms, 1, kMaxDeadlineMs);
  return target;
}

// The descriptor whose number the variable has, or none. The variable goes.
UniqueFd TakeFromEnvironment(const char* variable) {
  const char* text = std::getenv(variable);
  int fd;
  if (text == nullptr || !absl::SimpleAtoi(text, &fd) || fd < 0) return UniqueFd();
  unsetenv(variable);
  // It came through an exec; another program must not get it too.
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  return UniqueFd(fd);
}

template <typename Answer>
Answer Forked() {
  Answer answer;
  answer.error = ConnectError::Local(Kind::kBrokerGone);
  return answer;
}

// In milliseconds, as a deadline: at least one.
uint32_t LeftUntil(std::chrono::steady_clock::time_point give_up) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(give_up - Clock::now());
  return static_cast<uint32_t>(std::clamp<int64_t>(left.count(), 1, kMaxDeadlineMs));
}

}  // namespace

BrokerClient::BrokerClient(ReconnectBy reconnect_by)
    : process_generation_(ProcessGeneration()),
      link_(std::move(reconnect_by)),
      ahead_(std::make_unique<AskedAhead>(&link_, &names_)) {}

BrokerClient::~BrokerClient() {
  // Its condition variable may have been waited for when the child was made, and would be waited for
  // for ever.
  if (IsForked()) ahead_.release()->Disown();
}

absl::StatusOr<std::unique_ptr<BrokerClient>> BrokerClient::FromDescriptor(
    UniqueFd channel, ReconnectBy reconnect_by) {
  if (absl::Status status = PreparePacketSocket(channel.get()); !status.ok()) return status;
  if (absl::Status status = reconnect_by.Prepare(); !status.ok()) return status;
  auto client = std::unique_ptr<BrokerClient>(new BrokerClient(std::move(reconnect_by)));
  if (absl::Status status = client->link_.Open(std::move(channel)); !status.ok()) return status;
  return client;
}

absl::StatusOr<std::unique_ptr<BrokerClient>> BrokerClient::FromPath(const std::string& path) {
  absl::StatusOr<UniqueFd> channel = ConnectToBroker(path, Clock::now() + ChannelPool::kPatience);
  if (!channel.ok()) return channel.status();
  return FromDescriptor(*std::move(channel), ReconnectBy::Path(path));
}

absl::StatusOr<std::unique_ptr<BrokerClient>> BrokerClient::FromEnvironment() {
  UniqueFd source = TakeFromEnvironment(kSourceVariable);
  UniqueFd channel = TakeFromEnvironment(kChannelVariable);
  if (!channel.valid()) {
    return absl::FailedPreconditionError(absl::StrCat(
        kChannelVariable, " is not set to a descriptor: was this program started by a launcher?"));
  }
  if (!source.valid()) return FromDescriptor(std::move(channel));
  return FromDescriptor(std::move(channel), ReconnectBy::Source(std::move(source)));
}

template <typename Answer, typename Once>
Answer BrokerClient::Ask(TimePoint give_up, const Once& once) {
  bool repeated = false;
  for (int i = 0; i < kMostAttempts; ++i) {
    Answer answer;
    const std::shared_ptr<BrokerContact> contact = link_.Get(give_up, &answer.error);
    if (contact == nullptr) return answer;
    const bool sent = once(*contact, &answer);
    if (answer.error.kind != Kind::kBrokerGone) return answer;
    if (sent && std::exchange(repeated, true)) break;
  }
  Answer answer;
  answer.error = link_.Gone();
  return answer;
}

template <typename Answer>
void BrokerClient::Take(Kind kind, const Reply& reply, BrokerContact& contact, Answer* answer) {
  if (kind == Kind::kNone || kind == Kind::kTableFull) link_.NoteAnswer(&contact);
  TakeAnswer(kind, reply, answer);
}

ConnectResult BrokerClient::Connect(ConnectRequest request) {
  if (IsForked()) return Forked<ConnectResult>();
  request.deadline_ms = std::clamp<uint32_t>(request.deadline_ms, 1, kMaxDeadlineMs);
  ConnectResult prepared;
  if (ahead_->Take(request, &prepared)) return prepared;
  const TimePoint now = Clock::now();
  if (request.mode == ConnectMode::kInProgress) {
    return Ask<ConnectResult>(now, [&](BrokerContact& contact, ConnectResult* result) {
      TellNames(contact, request.endpoint, Clock::now() + ChannelPool::kPatience);
      return StartConnect(contact, request, result);
    });
  }
  const TimePoint give_up = now + std::chrono::milliseconds(request.deadline_ms);
  return Ask<ConnectResult>(give_up, [&](BrokerContact& contact, ConnectResult* result) {
    TellNames(contact, request.endpoint, give_up);
    request.deadline_ms = std::min(request.deadline_ms, LeftUntil(give_up));
    return AwaitConnect(contact, request, give_up, result);
  });
}

// Never waits for what other threads wait for: a multi handle stands still meanwhile.
bool BrokerClient::StartConnect(BrokerContact& contact, const ConnectRequest& request,
                                ConnectResult* result) {
  Reply reply;
  std::unique_ptr<Channel> channel = contact.channels.Take(Clock::now(), &result->error);
  if (channel != nullptr) {
    const Kind kind = channel->Call(request, ChannelPool::kPatience, &reply, &result->socket);
    const bool sent = channel->sent();
    Take(kind, reply, contact, result);
    contact.channels.GiveBack(std::move(channel), kind);
    return sent;
  }
  if (result->error.kind != Kind::kLimited) return false;
  Take(contact.channels.CallFirst(request, &reply, &result->socket), reply, contact, result);
  return true;
}

bool BrokerClient::AwaitConnect(BrokerContact& contact, const ConnectRequest& request,
                                TimePoint give_up, ConnectResult* result) {
  std::unique_ptr<Channel> channel = TakeChannel(contact, give_up, &result->error);
  if (channel == nullptr) return false;
  const std::chrono::milliseconds deadline(request.deadline_ms);
  Reply reply;
  const Kind kind = channel->Call(request, deadline + kReplyGrace, &reply, &result->socket);
  const bool sent = channel->sent();
  Take(kind, reply, contact, result);
  contact.channels.GiveBack(std::move(channel), kind);
  return sent;
}

// What is needed now goes before what was asked for ahead.
std::unique_ptr<Channel> BrokerClient::TakeChannel(BrokerContact& contact, TimePoint give_up,
                                                   ConnectError* error) {
  std::unique_ptr<Channel> channel = contact.channels.Take(TimePoint(), error);
  if (channel != nullptr || error->reason != Reason::kChannels) return channel;
  // Again and again: the one that was used ahead may be free just before this waits for it.
  while (true) {
    channel = ahead_->GiveUpChannel(contact);
    if (channel != nullptr) *error = ConnectError();
    if (channel != nullptr) return channel;
    const TimePoint soon = Clock::now() + std::chrono::milliseconds(kDeadlineTickMs);
    channel = contact.channels.Take(std::min(give_up, soon), error);
    const bool over = error->reason != Reason::kChannels || Clock::now() >= give_up;
    if (channel != nullptr || over) return channel;
  }
}

void BrokerClient::TellNames(BrokerContact& contact, const Endpoint& endpoint, TimePoint give_up) {
  const bool resolves = (contact.capabilities & kCapabilityResolve) != 0;
  if (contact.number == 1 || !resolves || !endpoint.is_ip()) return;
  for (const std::string& name : names_.UnknownTo(contact.number, endpoint.ip())) {
    if (Clock::now() >= give_up) return;
    ResolveResult result;
    const std::chrono::milliseconds patience(LeftUntil(give_up));
    ResolveOn(contact, {NameFamily::kAny, name}, give_up, patience, &result);
    if (IsSaid(result.error)) names_.NoteAsked(name, endpoint.ip(), contact.number);
  }
}

// Over a limit that passes by itself another attempt is worth its time: lookups of other threads
// come to their ends.
ResolveResult BrokerClient::Resolve(absl::string_view name, NameFamily family) {
  if (IsForked()) return Forked<ResolveResult>();
  ResolveResult result;
  result.error = ConnectError::Local(Kind::kLookup, ENOENT);
  if (!CanBeName(name)) return result;
  if (ahead_->TakeLookup(name, family, &result)) return result;
  const auto give_up = Clock::now() + kLongestLookup;
  while (true) {
    result = Ask<ResolveResult>(give_up, [&](BrokerContact& contact, ResolveResult* answer) {
      return ResolveOn(contact, {family, name}, give_up, kLongestLookup + kReplyGrace, answer);
    });
    const std::chrono::milliseconds pause(result.error.retry_after_ms);
    if (!Passes(result.error) || Clock::now() + pause >= give_up) break;
    std::this_thread::sleep_for(pause);
  }
  ahead_->Progress();
  return result;
}

bool BrokerClient::ResolveOn(BrokerContact& contact, const ResolveRequest& request,
                             TimePoint give_up, std::chrono::milliseconds patience,
                             ResolveResult* result) {
  if ((contact.capabilities & kCapabilityResolve) == 0) {
    result->error = ConnectError::Local(Kind::kNoResolver);
    return false;
  }
  std::unique_ptr<Channel> channel = TakeChannel(contact, give_up, &result->error);
  if (channel == nullptr) return false;
  Reply reply;
  UniqueFd none;
  const Kind kind = channel->Call(request, patience, &reply, &none);
  const bool sent = channel->sent();
  // Before the channel goes: the reply has views into it.
  Take(kind, reply, contact, result);
  contact.channels.GiveBack(std::move(channel), kind);
  if (link_.reconnects()) names_.Note(request.name, result->addresses, contact.number);
  return sent;
}

ConnectError BrokerClient::NoteLocalhost(absl::string_view name) {
  if (IsForked() || !CanBeName(name) || ahead_->HasLookedUp(name)) return ConnectError();
  const ResolveRequest request = {NameFamily::kAny, name};
  const TimePoint now = Clock::now();
  const auto once = [&](BrokerContact& contact, ResolveResult* result) {
    const bool sent = ResolveOn(contact, request, now, ChannelPool::kPatience, result);
    if (sent || result->error.kind != Kind::kLimited) return sent;
    Reply reply;
    UniqueFd none;
    Take(contact.channels.CallFirst(request, &reply, &none), reply, contact, result);
    if (link_.reconnects()) names_.Note(name, result->addresses, contact.number);
    return true;
  };
  return Ask<ResolveResult>(now, once).error;
}

uint64_t BrokerClient::Prepare(const AheadTarget& target) {
  return CanPrepare(target) ? ahead_->Add(Bounded(target)) : 0;
}

size_t BrokerClient::Preconnect(const AheadTarget& target, size_t count) {
  return CanPrepare(target) ? ahead_->Keep(Bounded(target), count) : 0;
}

void BrokerClient::Release(uint64_t ticket) {
  if (ticket != 0 && !IsForked()) ahead_->Release(ticket);
}

void BrokerClient::Progress() {
  if (!IsForked()) ahead_->Progress();
}

void BrokerClient::set_spare_age(std::chrono::milliseconds age) {
  if (!IsForked()) ahead_->set_most_age(age);
}

AheadCounts BrokerClient::ahead_counts() const {
  return IsForked() ? AheadCounts() : ahead_->counts();
}

bool BrokerClient::CanPrepare(const AheadTarget& target) const {
  return !IsForked() && (target.name.empty() || (resolves() && CanBeName(target.name)));
}

bool BrokerClient::IsForked() const { return ProcessGeneration() != process_generation_; }

}  // namespace sockgate
