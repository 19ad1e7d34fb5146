#include "broker/control/control_thread.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "broker/control/control_limits.h"
#include "broker/control/control_reply.h"
#include "broker/control/revoke_request.h"
#include "broker/thread_without_signals.h"
#include "proto/check.h"
#include "proto/packet_socket.h"

namespace sockgate {
namespace {

// How long to leave the socket alone when no descriptor is left for a client.
constexpr int kRestMs = 100;

// How old what the service manager knows may be.
constexpr std::chrono::seconds kBetweenStatus(10);

// Room for the longest reply, since one that is larger than the buffer cannot be sent at all. The
// system's own number may be too small, and only root goes beyond the system's bound.
void MakeRoomForReply(int client) {
  const int bytes = kMaxControlReplyBytes;
  if (setsockopt(client, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) == 0) return;
  setsockopt(client, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

// Of other kinds of signal the sender itself says who it is, or the kernel sends them (a terminal
// that hangs up).
OrderedBy SignalledBy(const signalfd_siginfo& info) {
  OrderedBy by{"signal"};
  if (info.ssi_code == SI_USER) {
    by.process = {static_cast<pid_t>(info.ssi_pid), static_cast<uid_t>(info.ssi_uid)};
  }
  return by;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ControlThread>> ControlThread::Start(Options options, Broker* broker,
                                                                    Reloader* reloader) {
  SOCKGATE_CHECK(reloader != nullptr || options.socket == nullptr);
  auto control =
      std::unique_ptr<ControlThread>(new ControlThread(std::move(options), broker, reloader));
  control->stop_.Reset(eventfd(0, EFD_CLOEXEC));
  if (!control->stop_.valid()) return absl::ErrnoToStatus(errno, "cannot take orders: eventfd");
  if (absl::Status status = control->OpenSignals(); !status.ok()) return status;
  control->thread_ = StartWithoutSignals([thread = control.get()] { thread->Run(); });
  return control;
}

absl::Status ControlThread::OpenSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_.Reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  return signals_.valid() ? absl::OkStatus()
                          : absl::ErrnoToStatus(errno, "cannot take signals: signalfd");
}

ControlThread::~ControlThread() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  const ssize_t written = write(stop_.get(), &one, sizeof(one));
  static_cast<void>(written);  // the counter is not full
  thread_.join();
}

void ControlThread::Run() {
  TellReady();
  while (true) {
    const int listening = socket_ != nullptr ? socket_->get() : -1;
    const bool serving = client_.valid();
    std::array<pollfd, 3> entries = {{{stop_.get(), POLLIN, 0},
                                      {signals_.get(), POLLIN, 0},
                                      {serving ? client_.get() : listening, POLLIN, 0}}};
    poll(entries.data(), entries.size(), PatienceLeft());
    if (entries[0].revents != 0) return;
    if (entries[1].revents != 0) TakeSignals();
    if (entries[2].revents != 0) {
      serving ? Serve() : Accept();
    } else if (serving && Clock::now() >= client_until_) {
      client_.Reset();
    }
    if (Clock::now() >= status_at_) TellStatus();
  }
}

int ControlThread::PatienceLeft() const {
  const Clock::time_point until =
      client_.valid() ? std::min(client_until_, status_at_) : status_at_;
  if (until == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

std::string ControlThread::StatusLine() const {
  const absl::StatusOr<BrokerStatus> status = broker_->GetStatus();
  if (!status.ok()) return std::string{status.status().message()};
  size_t workers = 0;
  for (const auto& [name, role] : status->roles) workers += role.workers;
  const bool failed = reloader_ != nullptr && reloader_->state().last_error.has_value();
  return absl::StrCat("policy ", status->generation, " in force",
                      failed ? " (another was rejected)" : "", ", workers: ", workers);
}

void ControlThread::TellReady() {
  if (notify_ == nullptr || !notify_->connected()) return;
  status_ = StatusLine();
  notify_->Ready(status_);
  status_at_ = Clock::now() + kBetweenStatus;
}

void ControlThread::TellStatus() {
  std::string status = StatusLine();
  if (status != status_) notify_->Status(status);
  status_ = std::move(status);
  status_at_ = Clock::now() + kBetweenStatus;
}

// However many came, one reload is enough: it reads the file as it is now.
void ControlThread::TakeSignals() {
  signalfd_siginfo info = {};
  while (read(signals_.get(), &info, sizeof(info)) > 0) {
  }
  if (notify_ != nullptr) notify_->Reloading();
  if (rotator_ != nullptr) rotator_->Rotate().IgnoreError();  // the operator is told
  if (reloader_ != nullptr) reloader_->Reload(SignalledBy(info));
  TellReady();
}

// The broker itself connects for workers only. It does so with stream and datagram sockets, which
// cannot reach this one; but should that change, a rule that is too wide must not let a worker give
// orders.
bool ControlThread::KnowClient() {
  ucred peer = {};
  socklen_t length = sizeof(peer);
  if (getsockopt(client_.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  client_order_ = {"control", OrderedBy::Process{peer.pid, peer.uid}};
  return peer.pid != getpid() && (peer.uid == 0 || peer.uid == geteuid());
}

void ControlThread::Accept() {
  client_.Reset(accept4(socket_->get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client_.valid()) {
    if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR) return;
    pollfd stop = {stop_.get(), POLLIN, 0};
    poll(&stop, 1, kRestMs);
    return;
  }
  if (!KnowClient()) {
    client_.Reset();
    return;
  }
  MakeRoomForReply(client_.get());
  client_until_ = Clock::now() + patience_;
}

void ControlThread::Serve() {
  const UniqueFd client = std::move(client_);
  std::array<uint8_t, kMaxControlRequestBytes> request;
  const Received received =
      ReceivePacket(client.get(), absl::MakeSpan(request), Accept::kNoDescriptor, Wait::kNo);
  if (received.status == PacketStatus::kClosed) return;
  const std::string reply =
      received.status == PacketStatus::kOk
          ? Answer({reinterpret_cast<const char*>(request.data()), received.size})
          : ErrorReply("not a request");
  // A client that has filled its socket's buffer with anything else goes without.
  SendPacket(client.get(), {reinterpret_cast<const uint8_t*>(reply.data()), reply.size()}, -1,
             Wait::kNo);
}

std::string ControlThread::Rotate() {
  if (rotator_ == nullptr)
    return ErrorReply(
        "the audit log is nothing that can be opened anew: that takes --audit FILE or journald");
  return RotateReply(rotator_->Rotate());
}

std::string ControlThread::Answer(absl::string_view word) {
  const std::string& file = reloader_->path();
  if (absl::ConsumePrefix(&word, kRevokeWord)) return Revoke(word);
  if (word == "reload") return ReloadReply(file, reloader_->Reload(client_order_));
  if (word == "rotate") return Rotate();
  if (word != "status") return ErrorReply("unknown request");
  const absl::StatusOr<BrokerStatus> status = broker_->GetStatus();
  if (!status.ok()) return ErrorReply(status.status().message());
  return StatusReply(file, reloader_->state(), *status);
}

std::string ControlThread::Revoke(absl::string_view pairs) {
  const absl::StatusOr<RevokeOrder> order = ParseRevokeRequest(pairs);
  if (!order.ok()) return ErrorReply(order.status().message());
  const absl::StatusOr<size_t> ended = broker_->Revoke(*order, client_order_);
  return ended.ok() ? RevokeReply(*ended) : ErrorReply(ended.status().message());
}

}  // namespace sockgate
