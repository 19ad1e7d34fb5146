#include "client/launch/pool/nursery.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/launch/pool/nursery_packets.h"
#include "client/launch/pool/nursery_process.h"
#include "confine/thread_count.h"
#include "proto/fresh_child.h"
#include "proto/packet_socket.h"

namespace sockgate::launch {
namespace {

absl::Status Gone() { return absl::UnavailableError("the pool's nursery has gone"); }

// Another thread's locks would stay locked in the child.
absl::Status CheckOnlyThread() {
  const int threads = confine::CountThreads();
  if (threads <= 1) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "a pool's nursery is a child of fork(2): start it before threads (there are ", threads, ")"));
}

std::vector<int> Kept(int socket, const WorkerOptions& options) {
  std::vector<int> kept = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, socket};
  kept.insert(kept.end(), options.keep_descriptors.begin(), options.keep_descriptors.end());
  if (options.channel_source >= 0) kept.push_back(options.channel_source);
  std::sort(kept.begin(), kept.end());
  kept.erase(std::unique(kept.begin(), kept.end()), kept.end());
  return kept;
}

// noexcept: an exception shall not unwind into the launcher's half of the program.
[[noreturn]] void RunChild(UniqueFd socket, const NurseryOptions& options) noexcept {
  ResetSignals();
  if (FillStandardStreams() != 0) _exit(1);
  if (CloseAllDescriptorsBut(Kept(socket.get(), options.worker)) != 0) _exit(1);
  {
    NurseryProcess process(std::move(socket), options);
    process.Run();
  }
  _exit(0);
}

void Reap(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

absl::Status Send(int socket, const NurseryOrder& order, int descriptor) {
  const Sent sent = SendPacket(socket, BytesOf(order), descriptor, Wait::kYes);
  if (sent.status == PacketStatus::kOk) return absl::OkStatus();
  if (sent.status == PacketStatus::kInFlight) {
    return absl::ResourceExhaustedError("too many descriptors of this user are in flight");
  }
  return Gone();
}

}  // namespace

absl::StatusOr<Nursery> Nursery::Start(const NurseryOptions& options) {
  for (const int descriptor : options.worker.keep_descriptors) {
    if (descriptor < 0) return absl::InvalidArgumentError("a descriptor to keep is not open");
  }
  if (absl::Status status = CheckOnlyThread(); !status.ok()) return status;
  std::array<int, 2> ends;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  UniqueFd ours(ends[0]);
  UniqueFd childs(ends[1]);
  // Or the child would write out what the launcher has buffered, once more.
  fflush(nullptr);
  const pid_t pid = ForkWithoutSignals();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) RunChild(std::move(childs), options);
  childs.Reset();
  Nursery nursery(pid, std::move(ours));
  NurseryNews news = {};
  const Received received =
      ReceivePacket(nursery.descriptor(), RoomIn(news), Accept::kNoDescriptor, Wait::kYes);
  if (received.status != PacketStatus::kOk) return Gone();
  if (news.kind != NurseryNews::Kind::kReady) return absl::FailedPreconditionError(news.text);
  return nursery;
}

Nursery::Nursery(Nursery&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), socket_(std::move(other.socket_)) {}

Nursery::~Nursery() {
  if (pid_ < 0) return;
  socket_.Reset();
  Reap(pid_);
}

absl::Status Nursery::Begin(uint32_t worker, UniqueFd channel, UniqueFd stream) {
  const NurseryOrder first = {NurseryOrder::Kind::kChannel, worker};
  if (absl::Status status = Send(descriptor(), first, channel.get()); !status.ok()) return status;
  return Send(descriptor(), {NurseryOrder::Kind::kBegin, worker}, stream.get());
}

absl::Status Nursery::Kill(uint32_t worker) {
  return Send(descriptor(), {NurseryOrder::Kind::kKill, worker}, -1);
}

absl::StatusOr<std::optional<Nursery::News>> Nursery::Read() {
  NurseryNews packet = {};
  const Received received =
      ReceivePacket(descriptor(), RoomIn(packet), Accept::kNoDescriptor, Wait::kNo);
  if (received.status == PacketStatus::kWouldBlock) return std::optional<News>();
  if (received.status != PacketStatus::kOk || received.size != sizeof(packet)) return Gone();
  News news;
  news.worker = packet.worker;
  news.status = {packet.signaled != 0, packet.code_or_signal};
  if (packet.kind == NurseryNews::Kind::kStarted) news.kind = News::Kind::kStarted;
  if (packet.kind == NurseryNews::Kind::kEnded) news.kind = News::Kind::kEnded;
  news.text = packet.text;
  return std::optional<News>(std::move(news));
}

}  // namespace sockgate::launch
