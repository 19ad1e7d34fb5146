#include "client/launch/pool/nursery_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/pool/pool_worker.h"
#include "proto/packet_socket.h"

namespace sockgate::launch {
namespace {

using Order = NurseryOrder::Kind;
using News = NurseryNews::Kind;

constexpr int kCannotPrepare = 1;

// Where a worker says why it cannot be prepared. Its end is closed before it is confined.
struct Complaint {
  UniqueFd reader;
  UniqueFd writer;

  static absl::StatusOr<Complaint> Make() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return absl::ErrnoToStatus(errno, "pipe");
    return Complaint{UniqueFd(ends[0]), UniqueFd(ends[1])};
  }

  int Say(const absl::Status& status) const {
    const std::string text(status.message());
    if (write(writer.get(), text.data(), text.size()) < 0) return kCannotPrepare;
    return kCannotPrepare;
  }

  std::string Read() const {
    char text[sizeof(NurseryNews::text)];
    const ssize_t size = read(reader.get(), text, sizeof(text));
    return size > 0 ? std::string(text, static_cast<size_t>(size)) : "it ended early";
  }
};

// Without them nobody hears that a worker has ended.
absl::Status CheckPidfds() {
  const UniqueFd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  return self.valid() ? absl::OkStatus() : absl::ErrnoToStatus(errno, "a pool needs pidfd_open(2)");
}

}  // namespace

void NurseryProcess::Run() {
  absl::Status status = CheckPidfds();
  if (status.ok()) status = LoadTrust();
  if (!status.ok()) {
    Tell(News::kUnready, 0, status.message());
    return;
  }
  if (!Tell(News::kReady, 0)) return;
  do {
    WaitForNews();
  } while (TakeOrder());
}

// Here and not in the workers, which may be another user and not allowed to read the file.
absl::Status NurseryProcess::LoadTrust() {
  if (!options_.load_trust) return absl::OkStatus();
  auto trust =
      options_.ca_file.empty() ? TrustStore::LoadSystem() : TrustStore::Load(options_.ca_file);
  if (trust.ok()) {
    trust_ = *std::move(trust);
    return absl::OkStatus();
  }
  // Without the system's no server is trusted, which its transfer tells.
  return options_.ca_file.empty() ? absl::OkStatus() : trust.status();
}

// Tells which workers have ended, and returns when there is an order, or the launcher has gone.
void NurseryProcess::WaitForNews() {
  while (true) {
    std::vector<pollfd> watched = {{socket_.get(), POLLIN, 0}};
    for (const auto& [number, worker] : workers_) watched.push_back({worker.pidfd(), POLLIN, 0});
    if (poll(watched.data(), watched.size(), -1) < 0) continue;
    auto next = workers_.begin();
    for (size_t i = 1; i < watched.size(); ++i) {
      const auto worker = next++;
      if (watched[i].revents == 0) continue;
      TellEnd(worker->first, worker->second);
      workers_.erase(worker);
    }
    if (watched[0].revents != 0) return;
  }
}

void NurseryProcess::TellEnd(uint32_t number, Worker& worker) {
  const auto status = worker.Wait();
  Tell(News::kEnded, number, "", status.ok() ? *status : ExitStatus());
}

// False: the launcher has gone.
bool NurseryProcess::TakeOrder() {
  NurseryOrder order = {};
  Received received =
      ReceivePacket(socket_.get(), RoomIn(order), Accept::kOneDescriptor, Wait::kNo);
  if (received.status == PacketStatus::kWouldBlock) return true;
  const bool whole = received.size == sizeof(order);
  if (whole && received.status == PacketStatus::kTableFull) {
    if (order.kind == Order::kBegin) Tell(News::kFailed, order.worker, "no descriptor is left");
    return true;
  }
  if (!whole || received.status != PacketStatus::kOk) return false;
  switch (order.kind) {
    case Order::kChannel:
      channel_ = std::move(received.fd);
      return true;
    case Order::kBegin:
      Begin(order.worker, std::move(received.fd));
      return true;
    case Order::kKill:
      if (const auto found = workers_.find(order.worker); found != workers_.end()) {
        found->second.Kill();
      }
      return true;
  }
  return false;
}

void NurseryProcess::Begin(uint32_t number, UniqueFd stream) {
  auto worker = StartWorker(std::move(stream));
  if (!worker.ok()) {
    Tell(News::kFailed, number, worker.status().message());
    return;
  }
  Tell(News::kStarted, number, worker->in_force().ToString());
  workers_.emplace(number, *std::move(worker));
}

absl::StatusOr<Worker> NurseryProcess::StartWorker(UniqueFd stream) {
  auto complaint = Complaint::Make();
  if (!complaint.ok()) return complaint.status();
  WorkerOptions options = options_.worker;
  options.keep_descriptors.push_back(stream.get());
  options.keep_descriptors.push_back(complaint->writer.get());
  PoolWorker inside(std::move(stream), options_.jobs, trust_.get(), options_.on_begin,
                    options_.connecting);
  auto worker = Worker::Start(
      std::move(channel_), options,
      [&](int channel) {
        const absl::Status status = inside.Prepare(UniqueFd(channel));
        if (!status.ok()) return complaint->Say(status);
        complaint->writer.Reset();
        return 0;
      },
      [&](int /*channel*/) { return inside.Run(); });
  if (worker.ok() && worker->in_force().profile.empty()) {
    return absl::UnavailableError(complaint->Read());
  }
  if (worker.ok() && worker->pidfd() < 0) {
    return absl::ResourceExhaustedError("no descriptor is left");
  }
  return worker;
}

bool NurseryProcess::Tell(News kind, uint32_t worker, absl::string_view text, ExitStatus status) {
  NurseryNews news = {};
  news.kind = kind;
  news.worker = worker;
  news.signaled = status.signaled ? 1 : 0;
  news.code_or_signal = status.code_or_signal;
  std::memcpy(news.text, text.data(), std::min(text.size(), sizeof(news.text) - 1));
  return SendPacket(socket_.get(), BytesOf(news), -1, Wait::kYes).status == PacketStatus::kOk;
}

}  // namespace sockgate::launch
