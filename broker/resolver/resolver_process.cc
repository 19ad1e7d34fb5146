#include "broker/resolver/resolver_process.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "broker/resolver/answers.h"
#include "broker/resolver/lookups.h"
#include "broker/resolver/ordered_sockets.h"
#include "broker/resolver/resolver_codec.h"
#include "broker/resolver/resolver_config.h"
#include "broker/resolver/resolver_confine.h"
#include "proto/check.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

constexpr int kEventsPerWakeup = 64;
// Questions taken per wake-up. More would only delay the answers.
constexpr int kQuestionsPerTurn = 64;

constexpr uint64_t kQuestionsCookie = Lookups::kForeignCookies;
constexpr uint64_t kSocketsCookie = Lookups::kForeignCookies + 1;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "sockgate resolver: %s\n", std::string(status.message()).c_str());
  _exit(EXIT_FAILURE);
}

// The broker has closed a channel, or is gone.
[[noreturn]] void End() { _exit(EXIT_SUCCESS); }

// Waits while the broker is behind: it is trusted to read, or to end.
void Send(int channel, absl::Span<const uint8_t> packet) {
  Sent sent;
  do {
    sent = SendPacket(channel, packet, -1, Wait::kYes);
  } while (sent.status == PacketStatus::kWouldBlock);
  if (sent.status != PacketStatus::kOk) End();
}

template <typename Message>
void SendMessage(int channel, const Message& message) {
  std::array<uint8_t, kMaxPacketBytes> packet;
  const size_t size = Encode(message, absl::MakeSpan(packet));
  SOCKGATE_CHECK(size > 0);
  Send(channel, absl::MakeConstSpan(packet).first(size));
}

class Resolver {
 public:
  Resolver(ResolverConfig config, ResolverEnds ends)
      : config_(std::move(config)),
        ends_(std::move(ends)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        sockets_(ends_.sockets.get(), config_.servers) {}

  absl::Status Prepare() {
    // Replies to orders are read by those who ordered; here only the channel's end matters.
    if (!Watch(ends_.questions.get(), EPOLLIN, kQuestionsCookie) ||
        !Watch(ends_.sockets.get(), 0, kSocketsCookie)) {
      return absl::ErrnoToStatus(errno, "epoll");
    }
    const int answers = ends_.questions.get();
    auto lookups =
        Lookups::Create(config_, epoll_.get(), &sockets_,
                        [answers](const ResolverAnswer& answer) { SendMessage(answers, answer); });
    if (!lookups.ok()) return lookups.status();
    lookups_ = *std::move(lookups);
    return absl::OkStatus();
  }

  void TellServers() { SendMessage(ends_.sockets.get(), ServerList{config_.servers}); }

  [[noreturn]] void Serve() {
    auto last_tick = Lookups::TimePoint::min();
    while (true) {
      epoll_event events[kEventsPerWakeup];
      const int count =
          epoll_wait(epoll_.get(), events, kEventsPerWakeup, lookups_->idle() ? -1 : kTickMs);
      SOCKGATE_CHECK(count >= 0 || errno == EINTR);
      const auto now = std::chrono::steady_clock::now();
      for (int i = 0; i < count; ++i) Deliver(events[i], now);
      if (now - std::chrono::milliseconds(kTickMs) < last_tick) continue;
      last_tick = now;
      lookups_->Tick(now);
    }
  }

 private:
  bool Watch(int fd, uint32_t events, uint64_t cookie) {
    epoll_event event = {};
    event.events = events;
    event.data.u64 = cookie;
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
  }

  void Deliver(const epoll_event& event, Lookups::TimePoint now) {
    if (event.data.u64 < Lookups::kForeignCookies) {
      return lookups_->OnEvent(event.data.u64, event.events);
    }
    if (event.data.u64 == kSocketsCookie) End();
    for (int i = 0; i < kQuestionsPerTurn; ++i) {
      if (!TakeQuestion(now)) return;
    }
  }

  // False when there is none.
  bool TakeQuestion(Lookups::TimePoint now) {
    std::array<uint8_t, kMaxPacketBytes> packet;
    const Received received = ReceivePacket(ends_.questions.get(), absl::MakeSpan(packet),
                                            Accept::kNoDescriptor, Wait::kNo);
    if (received.status == PacketStatus::kWouldBlock) return false;
    if (received.status != PacketStatus::kOk) End();
    ResolverQuestion question;
    const auto bytes = absl::MakeConstSpan(packet).first(received.size);
    SOCKGATE_CHECK(DecodeQuestion(bytes, &question).ok());
    Reply(question, now);
    return true;
  }

  void Reply(const ResolverQuestion& question, Lookups::TimePoint now) {
    const std::vector<IpAddress>* known = config_.hosts.Find(question.name);
    if (known == nullptr && lookups_->Ask(question, now)) return;
    ResolverAnswer answer =
        known != nullptr ? AnswerFromHosts(*known) : EmptyAnswer(ResolverStatus::kBusy);
    answer.id = question.id;
    SendMessage(ends_.questions.get(), answer);
  }

  const ResolverConfig config_;
  const ResolverEnds ends_;
  const UniqueFd epoll_;
  OrderedSockets sockets_;
  std::unique_ptr<Lookups> lookups_;
};

}  // namespace

void RunResolver(const ResolverOptions& options, const confine::ProcessCage& cage,
                 ResolverEnds ends) {
  absl::StatusOr<ResolverConfig> config = LoadResolverConfig(options);
  if (!config.ok()) Fail(config.status());
  Resolver resolver(*std::move(config), std::move(ends));
  if (absl::Status status = resolver.Prepare(); !status.ok()) Fail(status);
  const UniqueFd nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nowhere.valid()) Fail(absl::ErrnoToStatus(errno, "/dev/null"));
  resolver.TellServers();
  if (absl::Status status = ConfineResolver(cage); !status.ok()) Fail(status);
  if (cage.descriptor() >= 0) close(cage.descriptor());
  // It may be where the audit log goes.
  SOCKGATE_CHECK(dup3(nowhere.get(), STDERR_FILENO, O_CLOEXEC) == STDERR_FILENO);
  resolver.Serve();
}

}  // namespace sockgate
