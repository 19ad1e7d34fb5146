#include "client/pool/transfer_loop.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/pool/easy_transfer.h"

namespace sockgate {
namespace {

TransferResult Unbegun(TransferId id, const std::string& url, Fate fate, CURLcode code,
                       absl::string_view text) {
  TransferResult result;
  result.id = id;
  result.effective_url = url;
  result.fate = fate;
  result.code = code;
  result.text = absl::StrCat(text);
  return result;
}

absl::Status ToStatus(CURLMcode code) {
  if (code == CURLM_OK) return absl::OkStatus();
  return absl::InternalError(curl_multi_strerror(code));
}

}  // namespace

TransferLoop::TransferLoop(const Options& options, TransferSink* sink)
    : options_(options),
      sink_(sink),
      adapter_(options.client, AdapterOptions()),
      multi_(curl_multi_init()) {}

TransferLoop::~TransferLoop() {
  for (const auto& [id, transfer] : under_way_) {
    curl_multi_remove_handle(multi_.get(), transfer->easy());
  }
}

CurlAdapterOptions TransferLoop::AdapterOptions() {
  CurlAdapterOptions options;
  options.mode = options_.mode;
  options.connect_deadline = options_.connect_deadline;
  options.on_connect = [](CURL* easy, const Endpoint& endpoint, const ConnectResult& result) {
    if (EasyTransfer* transfer = EasyTransfer::Of(easy)) transfer->Note(endpoint, result);
  };
  return options;
}

void TransferLoop::Add(TransferId id, Transfer transfer) {
  waiting_.push_back({id, std::move(transfer)});
}

bool TransferLoop::Cancel(TransferId id) {
  if (const auto found = under_way_.find(id); found != under_way_.end()) {
    found->second->Cancel();
    cancelled_.push_back(id);
    return true;
  }
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [id](const Waiting& waiting) { return waiting.id == id; });
  if (found == waiting_.end()) return false;
  ended_.push_back(
      Unbegun(id, found->transfer.url, Fate::kCancelled, CURLE_ABORTED_BY_CALLBACK, "cancelled"));
  waiting_.erase(found);
  return true;
}

absl::Status TransferLoop::Step(std::chrono::milliseconds wait, absl::Span<curl_waitfd> also) {
  if (multi_ == nullptr) return absl::ResourceExhaustedError("no memory for a multi handle");
  BeginWaiting();
  if (std::exchange(resume_, false)) ResumePaused();
  if (!ended_.empty() || !cancelled_.empty()) wait = std::chrono::milliseconds(0);
  absl::Status status =
      ToStatus(curl_multi_poll(multi_.get(), also.data(), static_cast<unsigned>(also.size()),
                               static_cast<int>(wait.count()), nullptr));
  if (!status.ok()) return status;
  int running = 0;
  status = ToStatus(curl_multi_perform(multi_.get(), &running));
  TakeFinished();
  TakeCancelled();
  TellEnded();
  return status;
}

absl::Status TransferLoop::Run() {
  constexpr std::chrono::seconds kWait{60};
  while (!idle()) {
    if (absl::Status status = Step(kWait); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void TransferLoop::BeginWaiting() {
  while (!waiting_.empty() && under_way_.size() < options_.jobs) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    Begin(std::move(next));
  }
}

void TransferLoop::Begin(Waiting next) {
  const TransferId id = next.id;
  const std::string url = next.transfer.url;
  auto transfer = std::make_unique<EasyTransfer>(id, std::move(next.transfer), &adapter_, sink_);
  EasyTransfer* begun = transfer.get();
  // In the loop before the sink hears of it, which may cancel it.
  under_way_.emplace(id, std::move(transfer));
  absl::Status status = begun->Begin(options_.trust);
  if (status.ok()) status = ToStatus(curl_multi_add_handle(multi_.get(), begun->easy()));
  if (status.ok()) return;
  under_way_.erase(id);
  ended_.push_back(Unbegun(id, url, Fate::kEnded, CURLE_FAILED_INIT, status.message()));
}

// The sink is called meanwhile, which may end none but by Cancel(), and so not at once.
void TransferLoop::ResumePaused() {
  for (const auto& [id, transfer] : under_way_) transfer->Resume();
}

void TransferLoop::TakeFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    End(EasyTransfer::Of(message->easy_handle), message->data.result);
  }
}

void TransferLoop::TakeCancelled() {
  for (const TransferId id : std::exchange(cancelled_, {})) {
    const auto found = under_way_.find(id);
    if (found != under_way_.end()) End(found->second.get(), CURLE_ABORTED_BY_CALLBACK);
  }
}

void TransferLoop::End(EasyTransfer* transfer, CURLcode code) {
  const auto owned = under_way_.extract(transfer->id());
  const TransferResult result = transfer->Result(code);
  sink_->OnDone(result, transfer->easy());
  curl_multi_remove_handle(multi_.get(), transfer->easy());
}

void TransferLoop::TellEnded() {
  for (const TransferResult& result : std::exchange(ended_, {})) sink_->OnDone(result, nullptr);
}

}  // namespace sockgate
