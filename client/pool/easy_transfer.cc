#include "client/pool/easy_transfer.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/pool/transfer_limits.h"

namespace sockgate {
namespace {

// libcurl's own types for its own numbers.
using Long = long;  // NOLINT(google-runtime-int)

Long Milliseconds(std::chrono::milliseconds time) { return static_cast<Long>(time.count()); }

bool WriteAll(int descriptor, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      pollfd ready = {descriptor, POLLOUT, 0};
      poll(&ready, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

// What a request says of its body where it has none: "Content-Length: 0".
bool MeansABody(const std::string& method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

uint64_t Number(CURL* easy, CURLINFO info) {
  curl_off_t value = 0;
  return curl_easy_getinfo(easy, info, &value) == CURLE_OK && value > 0
             ? static_cast<uint64_t>(value)
             : 0;
}

uint32_t Count(CURL* easy, CURLINFO info) {
  Long value = 0;
  return curl_easy_getinfo(easy, info, &value) == CURLE_OK && value > 0
             ? static_cast<uint32_t>(value)
             : 0;
}

std::string Text(CURL* easy, CURLINFO info, size_t most) {
  const char* value = nullptr;
  if (curl_easy_getinfo(easy, info, &value) != CURLE_OK || value == nullptr) return "";
  return std::string(value, strnlen(value, most));
}

// Whether the broker's last refusal is what ended the transfer: it goes on after one address of
// many.
bool EndedByAttempt(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
         code == CURLE_COULDNT_RESOLVE_PROXY;
}

// Where libcurl's own words add nothing to the broker's, to errno or to the status.
bool IsToldInFull(CURLcode code) {
  return EndedByAttempt(code) || code == CURLE_HTTP_RETURNED_ERROR;
}

BrokerVerdict VerdictOf(const ConnectError& error) {
  switch (error.kind) {
    case ConnectError::Kind::kDenied:
      return BrokerVerdict::kDenied;
    case ConnectError::Kind::kLimited:
      return BrokerVerdict::kLimited;
    default:
      return BrokerVerdict::kFailed;
  }
}

}  // namespace

EasyTransfer::EasyTransfer(TransferId id, Transfer transfer, CurlAdapter* adapter,
                           TransferSink* sink)
    : id_(id),
      transfer_(std::move(transfer)),
      adapter_(adapter),
      sink_(sink),
      easy_(curl_easy_init()) {}

EasyTransfer::~EasyTransfer() {
  if (easy() != nullptr) adapter_->Detach(easy());
}

EasyTransfer* EasyTransfer::Of(CURL* easy) {
  char* self = nullptr;
  return curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self) == CURLE_OK
             ? reinterpret_cast<EasyTransfer*>(self)
             : nullptr;
}

absl::Status EasyTransfer::Begin(const launch::TrustStore* trust) {
  if (easy() == nullptr) return absl::ResourceExhaustedError("no memory for a handle");
  if (absl::Status status = transfer_.Check(); !status.ok()) return status;
  if (absl::Status status = adapter_->Attach(easy()); !status.ok()) return status;
  curl_easy_setopt(easy(), CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy(), CURLOPT_ERRORBUFFER, errors_);
  curl_easy_setopt(easy(), CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy(), CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy(), CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy(), CURLOPT_WRITEDATA, this);
  SetRequest();
  SetLimits();
  absl::Status status;
  SetTrust(trust, &status);
  if (status.ok()) sink_->OnBegin(id_, easy());
  return status;
}

void EasyTransfer::SetRequest() {
  curl_easy_setopt(easy(), CURLOPT_URL, transfer_.url.c_str());
  curl_easy_setopt(easy(), CURLOPT_PROTOCOLS_STR, transfer_.protocols.c_str());
  curl_easy_setopt(easy(), CURLOPT_REDIR_PROTOCOLS_STR, transfer_.redirect_protocols.c_str());
  // Empty strings, or libcurl would go by the launcher's environment.
  curl_easy_setopt(easy(), CURLOPT_PROXY, transfer_.proxy.c_str());
  curl_easy_setopt(easy(), CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy(), CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  for (const std::string& header : transfer_.headers) {
    curl_slist* longer = curl_slist_append(headers_.get(), header.c_str());
    if (longer == nullptr) continue;
    (void)headers_.release();
    headers_.reset(longer);
  }
  curl_easy_setopt(easy(), CURLOPT_HTTPHEADER, headers_.get());
  if (transfer_.compressed) curl_easy_setopt(easy(), CURLOPT_ACCEPT_ENCODING, "");

  const std::string method = transfer_.Method();
  if (method == "HEAD") {
    curl_easy_setopt(easy(), CURLOPT_NOBODY, 1L);
    return;
  }
  if (!transfer_.body.empty() || MeansABody(method)) {
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDS, transfer_.body.c_str());
    curl_easy_setopt(easy(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(transfer_.body.size()));
    if (method == "POST") return;
  } else if (method == "GET") {
    return;
  }
  curl_easy_setopt(easy(), CURLOPT_CUSTOMREQUEST, method.c_str());
}

void EasyTransfer::SetLimits() {
  curl_easy_setopt(easy(), CURLOPT_FOLLOWLOCATION, transfer_.follow ? 1L : 0L);
  curl_easy_setopt(easy(), CURLOPT_MAXREDIRS, static_cast<Long>(transfer_.max_redirects));
  curl_easy_setopt(easy(), CURLOPT_FAILONERROR, transfer_.fail_on_http_error ? 1L : 0L);
  curl_easy_setopt(easy(), CURLOPT_TIMEOUT_MS, Milliseconds(transfer_.max_time));
  curl_easy_setopt(easy(), CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(transfer_.connect_timeout));
}

// `insecure` is about the server; the proxy sees what is sent to a server without TLS.
void EasyTransfer::SetTrust(const launch::TrustStore* trust, absl::Status* status) {
  curl_easy_setopt(easy(), CURLOPT_SSL_VERIFYPEER, transfer_.insecure ? 0L : 1L);
  curl_easy_setopt(easy(), CURLOPT_SSL_VERIFYHOST, transfer_.insecure ? 0L : 2L);
  if (trust != nullptr) *status = trust->Attach(easy());
}

void EasyTransfer::Resume() {
  if (!paused_) return;
  paused_ = false;
  // Calls OnBody for what it has kept.
  curl_easy_pause(easy(), CURLPAUSE_CONT);
}

void EasyTransfer::Note(const Endpoint& endpoint, const ConnectResult& result) {
  asked_ = true;
  attempt_ = endpoint;
  rule_ = result.error.ok() ? result.rule : result.error.rule;
  sink_->OnConnect(id_, endpoint, result);
}

size_t EasyTransfer::OnHeader(char* line, size_t size, size_t count, void* self) {
  auto* transfer = static_cast<EasyTransfer*>(self);
  return transfer->TakeHeader({line, size * count}) ? size * count : 0;
}

// A status line begins another response. Trailers follow their body, and are kept with its head.
bool EasyTransfer::TakeHeader(absl::string_view line) {
  if (cancelled_) return false;
  if (absl::StartsWith(line, "HTTP/")) head_ = {};
  if (line.size() > kMaxHeaderBytes - head_.headers.size()) {
    stopped_ = Stopped::kHeadTooLarge;
    return false;
  }
  absl::StrAppend(&head_.headers, line);
  return true;
}

size_t EasyTransfer::OnBody(char* piece, size_t size, size_t count, void* self) {
  return static_cast<EasyTransfer*>(self)->TakeBody({piece, size * count});
}

// 0 of a piece with bytes ends the transfer with CURLE_WRITE_ERROR.
size_t EasyTransfer::TakeBody(absl::string_view piece) {
  if (cancelled_) return 0;
  if (transfer_.max_filesize != 0 && piece.size() > transfer_.max_filesize - body_bytes_) {
    stopped_ = Stopped::kTooLarge;
    return 0;
  }
  TellHead();
  Taken taken;
  if (transfer_.output < 0) {
    taken = sink_->OnBody(id_, piece);
  } else {
    taken = WriteAll(transfer_.output, piece) ? Taken::kYes : Taken::kNever;
  }
  if (taken == Taken::kNotNow) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (taken == Taken::kNever) {
    stopped_ = Stopped::kUnwritten;
    return 0;
  }
  body_bytes_ += piece.size();
  return piece.size();
}

void EasyTransfer::TellHead() {
  if (head_told_) return;
  head_told_ = true;
  head_.status = Count(easy(), CURLINFO_RESPONSE_CODE);
  sink_->OnHead(id_, head_);
}

TransferResult EasyTransfer::Result(CURLcode code) const {
  if (stopped_ == Stopped::kTooLarge) code = CURLE_FILESIZE_EXCEEDED;
  TransferResult result;
  result.id = id_;
  result.fate = cancelled_ ? Fate::kCancelled : Fate::kEnded;
  result.code = cancelled_ ? CURLE_ABORTED_BY_CALLBACK : code;
  Measure(&result);
  result.head = head_;
  result.head.status = result.status;
  Judge(code, &result);
  if (!result.ok()) result.text = Explain(code, result);
  return result;
}

void EasyTransfer::Measure(TransferResult* result) const {
  result->status = Count(easy(), CURLINFO_RESPONSE_CODE);
  result->effective_url = Text(easy(), CURLINFO_EFFECTIVE_URL, kMaxUrlBytes);
  result->content_type = Text(easy(), CURLINFO_CONTENT_TYPE, kMaxResultTextBytes);
  result->address = Text(easy(), CURLINFO_PRIMARY_IP, kMaxResultTextBytes);
  result->port = static_cast<uint16_t>(Count(easy(), CURLINFO_PRIMARY_PORT));
  result->redirects = Count(easy(), CURLINFO_REDIRECT_COUNT);
  result->connections = Count(easy(), CURLINFO_NUM_CONNECTS);
  result->body_bytes = body_bytes_;
  result->wire_bytes = Number(easy(), CURLINFO_SIZE_DOWNLOAD_T);
  result->header_bytes = Count(easy(), CURLINFO_HEADER_SIZE);
  result->request_bytes = Count(easy(), CURLINFO_REQUEST_SIZE);
  result->upload_bytes = Number(easy(), CURLINFO_SIZE_UPLOAD_T);
  Timings& timings = result->timings;
  timings.dns = Number(easy(), CURLINFO_NAMELOOKUP_TIME_T);
  timings.connect = Number(easy(), CURLINFO_CONNECT_TIME_T);
  timings.tls = Number(easy(), CURLINFO_APPCONNECT_TIME_T);
  timings.first_byte = Number(easy(), CURLINFO_STARTTRANSFER_TIME_T);
  timings.redirect = Number(easy(), CURLINFO_REDIRECT_TIME_T);
  timings.total = Number(easy(), CURLINFO_TOTAL_TIME_T);
}

void EasyTransfer::Judge(CURLcode code, TransferResult* result) const {
  if (EndedByAttempt(code)) result->error = adapter_->LastError(easy(), code);
  if (!result->error.ok() && code == CURLE_COULDNT_CONNECT && attempt_.is_ip()) {
    result->address = attempt_.ip().ToString();
    result->port = attempt_.port();
  }
  if (!result->error.ok()) {
    result->verdict = VerdictOf(result->error);
    result->rule = result->error.rule;
  } else if (asked_) {
    result->verdict = BrokerVerdict::kAllowed;
    result->rule = rule_;
  }
  Long os_error = 0;
  if (code == CURLE_COULDNT_CONNECT) curl_easy_getinfo(easy(), CURLINFO_OS_ERRNO, &os_error);
  result->os_error = result->error.ok() ? static_cast<int>(os_error) : result->error.error_number;
}

std::string EasyTransfer::Explain(CURLcode code, const TransferResult& result) const {
  if (cancelled_) return "cancelled";
  switch (stopped_) {
    case Stopped::kTooLarge:
      return absl::StrCat("the body is larger than ", transfer_.max_filesize, " bytes");
    case Stopped::kHeadTooLarge:
      return absl::StrCat("the headers are larger than ", kMaxHeaderBytes, " bytes");
    case Stopped::kUnwritten:
      return "the body could not be written";
    case Stopped::kNo:
      break;
  }
  std::string text = adapter_->Explain(easy(), code);
  const absl::string_view detail(errors_, strnlen(errors_, sizeof(errors_)));
  if (!IsToldInFull(code) && !detail.empty() && detail != text) {
    absl::StrAppend(&text, ": ", detail);
  }
  if (result.error.ok() && result.os_error != 0) {
    absl::StrAppend(&text, ": ", strerror(result.os_error));
  }
  if (code == CURLE_HTTP_RETURNED_ERROR) absl::StrAppend(&text, " (", result.status, ")");
  if (text.size() > kMaxResultTextBytes) text.resize(kMaxResultTextBytes);
  return text;
}

}  // namespace sockgate
