#include "client/pool/transfer_codec.h"

#include <curl/curl.h>

#include <cstdint>

#include "absl/types/span.h"
#include "proto/bytes.h"

namespace sockgate {
namespace {

// ByteWriter fills a buffer that is there already; here texts decide how long it gets.
class Payload {
 public:
  void U8(uint8_t value) { Integer(value, 1); }
  void U16(uint16_t value) { Integer(value, 2); }
  void U32(uint32_t value) { Integer(value, 4); }
  void U64(uint64_t value) { Integer(value, 8); }

  // No longer than `most`, as the other side demands.
  void Text(absl::string_view text, size_t most) {
    text = text.substr(0, most);
    U32(static_cast<uint32_t>(text.size()));
    bytes_.append(text.data(), text.size());
  }

  std::string Take() { return std::move(bytes_); }

 private:
  void Integer(uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
};

uint64_t U64(ByteReader& in, const char* field) {
  const uint64_t low = in.U32(field);
  return low | uint64_t{in.U32(field)} << 32;
}

std::string Text(ByteReader& in, const char* field, size_t most) {
  const uint32_t size = in.U32(field);
  if (size > most) in.Fail(field);
  const absl::string_view text = in.View(field, size);
  return {text.data(), text.size()};
}

bool Flag(ByteReader& in, const char* field) {
  const uint8_t value = in.U8(field);
  if (value > 1) in.Fail(field);
  return value == 1;
}

template <typename Enum>
Enum Among(ByteReader& in, const char* field, Enum last) {
  const uint8_t value = in.U8(field);
  if (value > static_cast<uint8_t>(last)) in.Fail(field);
  return in.ok() ? static_cast<Enum>(value) : Enum{};
}

ByteReader ReaderOf(absl::string_view payload) {
  return ByteReader(
      absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(payload.data()), payload.size()));
}

std::chrono::milliseconds Time(ByteReader& in, const char* field) {
  const std::chrono::milliseconds time(in.U32(field));
  if (time > kMaxTransferTime) in.Fail(field);
  return time;
}

void PutHead(const ResponseHead& head, Payload* out) {
  out->U32(head.status);
  out->Text(head.headers, kMaxHeaderBytes);
}

void GetHead(ByteReader& in, ResponseHead* head) {
  head->status = in.U32("head.status");
  head->headers = Text(in, "head.headers", kMaxHeaderBytes);
}

void PutError(const ConnectError& error, Payload* out) {
  out->U8(static_cast<uint8_t>(error.kind));
  out->U8(static_cast<uint8_t>(error.reason));
  out->U32(error.rule);
  out->U32(static_cast<uint32_t>(error.error_number));
  out->U32(error.retry_after_ms);
}

void GetError(ByteReader& in, ConnectError* error) {
  error->kind = Among(in, "error.kind", ConnectError::Kind::kBadReply);
  error->reason = Among(in, "error.reason", kLastReason);
  error->rule = in.U32("error.rule");
  error->error_number = static_cast<int>(in.U32("error.number"));
  error->retry_after_ms = in.U32("error.retry");
}

void PutTimings(const Timings& timings, Payload* out) {
  for (const uint64_t time : {timings.dns, timings.connect, timings.tls, timings.first_byte,
                              timings.redirect, timings.total}) {
    out->U64(time);
  }
}

void GetTimings(ByteReader& in, Timings* timings) {
  for (uint64_t* time : {&timings->dns, &timings->connect, &timings->tls, &timings->first_byte,
                         &timings->redirect, &timings->total}) {
    *time = U64(in, "timings");
  }
}

}  // namespace

std::string EncodeTransfer(const Transfer& transfer) {
  Payload out;
  out.Text(transfer.url, kMaxUrlBytes);
  out.Text(transfer.method, kMaxMethodBytes);
  out.Text(transfer.protocols, kMaxUrlBytes);
  out.Text(transfer.redirect_protocols, kMaxUrlBytes);
  out.Text(transfer.proxy, kMaxUrlBytes);
  out.U16(static_cast<uint16_t>(transfer.headers.size()));
  for (const std::string& header : transfer.headers) out.Text(header, kMaxRequestHeaderBytes);
  out.Text(transfer.body, kMaxRequestBodyBytes);
  for (const bool flag :
       {transfer.follow, transfer.compressed, transfer.fail_on_http_error, transfer.insecure}) {
    out.U8(flag ? 1 : 0);
  }
  out.U32(transfer.max_redirects);
  out.U64(transfer.max_filesize);
  out.U32(static_cast<uint32_t>(transfer.max_time.count()));
  out.U32(static_cast<uint32_t>(transfer.connect_timeout.count()));
  out.U32(static_cast<uint32_t>(transfer.output));
  return out.Take();
}

const char* DecodeTransfer(absl::string_view payload, Transfer* transfer) {
  ByteReader in = ReaderOf(payload);
  transfer->url = Text(in, "url", kMaxUrlBytes);
  transfer->method = Text(in, "method", kMaxMethodBytes);
  transfer->protocols = Text(in, "protocols", kMaxUrlBytes);
  transfer->redirect_protocols = Text(in, "redirect_protocols", kMaxUrlBytes);
  transfer->proxy = Text(in, "proxy", kMaxUrlBytes);
  const uint16_t headers = in.U16("headers");
  if (headers > kMaxRequestHeaders) in.Fail("headers");
  transfer->headers.clear();
  for (int i = 0; i < headers && in.ok(); ++i) {
    transfer->headers.push_back(Text(in, "header", kMaxRequestHeaderBytes));
  }
  transfer->body = Text(in, "body", kMaxRequestBodyBytes);
  for (bool* flag : {&transfer->follow, &transfer->compressed, &transfer->fail_on_http_error,
                     &transfer->insecure}) {
    *flag = Flag(in, "flag");
  }
  transfer->max_redirects = in.U32("max_redirects");
  transfer->max_filesize = U64(in, "max_filesize");
  transfer->max_time = Time(in, "max_time");
  transfer->connect_timeout = Time(in, "connect_timeout");
  transfer->output = static_cast<int>(in.U32("output"));
  in.End();
  return in.failed_field();
}

std::string EncodeHead(const ResponseHead& head) {
  Payload out;
  PutHead(head, &out);
  return out.Take();
}

const char* DecodeHead(absl::string_view payload, ResponseHead* head) {
  ByteReader in = ReaderOf(payload);
  GetHead(in, head);
  in.End();
  return in.failed_field();
}

std::string EncodeResult(const TransferResult& result) {
  Payload out;
  out.U8(static_cast<uint8_t>(result.fate));
  out.U8(static_cast<uint8_t>(result.verdict));
  out.U16(result.port);
  for (const uint32_t number : {result.code, result.status, result.redirects, result.connections,
                                result.rule, static_cast<uint32_t>(result.os_error)}) {
    out.U32(number);
  }
  for (const uint64_t bytes : {result.body_bytes, result.wire_bytes, result.header_bytes,
                               result.request_bytes, result.upload_bytes}) {
    out.U64(bytes);
  }
  PutTimings(result.timings, &out);
  PutError(result.error, &out);
  out.Text(result.effective_url, kMaxUrlBytes);
  out.Text(result.content_type, kMaxResultTextBytes);
  out.Text(result.address, kMaxResultTextBytes);
  out.Text(result.text, kMaxResultTextBytes);
  PutHead(result.head, &out);
  return out.Take();
}

const char* DecodeResult(absl::string_view payload, TransferResult* result) {
  ByteReader in = ReaderOf(payload);
  // Every other end is for the launcher to tell.
  result->fate = Among(in, "fate", Fate::kCancelled);
  result->verdict = Among(in, "verdict", BrokerVerdict::kFailed);
  result->port = in.U16("port");
  result->code = in.U32("code");
  // Whoever makes an exit status of it must not get 0 of a failure.
  if (result->code >= CURL_LAST) in.Fail("code");
  result->status = in.U32("status");
  result->redirects = in.U32("redirects");
  result->connections = in.U32("connections");
  result->rule = in.U32("rule");
  result->os_error = static_cast<int>(in.U32("os_error"));
  for (uint64_t* bytes : {&result->body_bytes, &result->wire_bytes, &result->header_bytes,
                          &result->request_bytes, &result->upload_bytes}) {
    *bytes = U64(in, "bytes");
  }
  GetTimings(in, &result->timings);
  GetError(in, &result->error);
  result->effective_url = Text(in, "effective_url", kMaxUrlBytes);
  result->content_type = Text(in, "content_type", kMaxResultTextBytes);
  result->address = Text(in, "address", kMaxResultTextBytes);
  result->text = Text(in, "text", kMaxResultTextBytes);
  GetHead(in, &result->head);
  in.End();
  return in.failed_field();
}

}  // namespace sockgate
