// HttpRequestParser: makes requests of HTTP/1.0 and 1.1 from a stream of bytes.
//
// Process: whichever embeds the loopback server. Threads: one per parser. The bytes are hostile:
// the head is limited to 64 KiB, the body to 16 MiB, and everything that is not plainly well-formed
// is refused. Ownership: holds what it has been given until Next() has handed it out. Failure is
// sticky: after kBad the stream cannot be trusted and the connection is to be closed.

#ifndef SOCKGATE_TESTS_SUPPORT_HTTP_REQUEST_H_
#define SOCKGATE_TESTS_SUPPORT_HTTP_REQUEST_H_

#include <absl/strings/string_view.h>

#include <cstddef>
#include <string>
#include <vector>

namespace sockgate::testing {

struct HttpHeader {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method;
  std::string target;  // path and query as sent; begins with '/'
  bool keep_alive = true;
  std::vector<HttpHeader> headers;
  std::string body;
};

class HttpRequestParser {
 public:
  enum class Outcome { kNeedMore, kComplete, kBad };

  static constexpr size_t kMaxHeadBytes = 64 << 10;
  static constexpr size_t kMaxBodyBytes = 16 << 20;

  void Append(absl::string_view bytes) { in_.append(bytes.data(), bytes.size()); }

  // Takes the next request out of the bytes appended so far. `request` is set on kComplete alone.
  Outcome Next(HttpRequest* request);

  // The status to answer with after kBad.
  int error_status() const { return error_status_; }

  // True once for a request whose sender waits for "100 Continue" before it sends the body.
  bool TakeContinue();

 private:
  bool ParseHead(absl::string_view head);
  bool ParseRequestLine(absl::string_view line);
  bool ParseHeaderLine(absl::string_view line);
  bool ApplyHeader(const HttpHeader& header);
  bool ApplyContentLength(absl::string_view value);
  bool FindHead();
  bool Refuse(int status);

  std::string in_;
  size_t scanned_ = 0;  // no end of head begins before this offset
  HttpRequest request_;
  bool have_head_ = false;
  bool have_length_ = false;
  size_t body_bytes_ = 0;
  bool wants_continue_ = false;
  int error_status_ = 0;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_HTTP_REQUEST_H_
