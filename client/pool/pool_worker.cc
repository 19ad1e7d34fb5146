#include "client/pool/pool_worker.h"

#include <errno.h>
#include <sys/socket.h>

#include <utility>

#include "client/pool/transfer_codec.h"
#include "client/pool/transfer_process.h"

namespace sockgate {
namespace {

constexpr std::chrono::seconds kWait{60};

}  // namespace

absl::Status PoolWorker::Prepare(UniqueFd channel) {
  auto client = PrepareTransferProcess(std::move(channel));
  if (!client.ok()) return client.status();
  client_ = *std::move(client);
  return absl::OkStatus();
}

int PoolWorker::Run() {
  TransferLoop::Options options;
  options.client = client_.get();
  options.trust = trust_;
  options.jobs = jobs_;
  options.mode = connecting_.mode;
  options.connect_deadline = connecting_.deadline;
  loop_ = std::make_unique<TransferLoop>(options, this);
  while (true) {
    const bool unsent = answers_.unsent() > 0;
    curl_waitfd stream = {};
    stream.fd = stream_.get();
    stream.events = static_cast<short>(CURL_WAIT_POLLIN | (unsent ? CURL_WAIT_POLLOUT : 0));
    if (!loop_->Step(kWait, absl::MakeSpan(&stream, 1)).ok()) return kLoopFailed;
    if (!Send()) return 0;
    if (stream.revents == 0) continue;
    const Orders orders = ReadOrders();
    if (orders != Orders::kGoOn) return orders == Orders::kBad ? kBadOrder : 0;
  }
}

// False: nobody takes it.
bool PoolWorker::Send() {
  if (answers_.Flush(stream_.get()) == FrameWriter::Outcome::kGone) return false;
  if (refused_ && answers_.unsent() < kMaxUnsentBytes / 2) {
    refused_ = false;
    loop_->Resume();
  }
  return true;
}

PoolWorker::Orders PoolWorker::ReadOrders() {
  const absl::Span<uint8_t> room = orders_.Room();
  const ssize_t got = recv(stream_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (got == 0) return Orders::kNoMore;
  if (got < 0) return errno == EAGAIN || errno == EINTR ? Orders::kGoOn : Orders::kNoMore;
  orders_.Got(static_cast<size_t>(got));
  Frame frame;
  while (true) {
    switch (orders_.Next(&frame)) {
      case FrameReader::Outcome::kMore:
        return Orders::kGoOn;
      case FrameReader::Outcome::kBad:
        return Orders::kBad;
      case FrameReader::Outcome::kFrame:
        if (!Follow(frame)) return Orders::kBad;
    }
  }
}

bool PoolWorker::Follow(const Frame& frame) {
  if (frame.type == FrameType::kCancel) {
    loop_->Cancel(frame.id);  // it may have just ended
    return true;
  }
  Transfer transfer;
  if (DecodeTransfer(frame.payload, &transfer) != nullptr) return false;
  loop_->Add(frame.id, std::move(transfer));
  return true;
}

void PoolWorker::OnBegin(TransferId id, CURL* easy) {
  if (on_begin_) on_begin_(easy, id);
}

void PoolWorker::OnHead(TransferId id, const ResponseHead& head) {
  answers_.Put(FrameType::kHead, id, EncodeHead(head));
}

Taken PoolWorker::OnBody(TransferId id, absl::string_view piece) {
  if (piece.empty()) return Taken::kYes;
  if (answers_.unsent() >= kMaxUnsentBytes) {
    answers_.Flush(stream_.get());
    refused_ = true;
    if (answers_.unsent() >= kMaxUnsentBytes) return Taken::kNotNow;
  }
  answers_.Put(FrameType::kBody, id, piece);
  return Taken::kYes;
}

void PoolWorker::OnDone(const TransferResult& result, CURL* /*easy*/) {
  answers_.Put(FrameType::kDone, result.id, EncodeResult(result));
}

}  // namespace sockgate
