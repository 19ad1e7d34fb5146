#include "tests/support/http_reply.h"

#include <absl/strings/str_cat.h>

#include <utility>

namespace sockgate::testing {
namespace {

const char* Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "As Requested";
  }
}

}  // namespace

HttpReply HttpReply::Text(int status, std::string body) {
  HttpReply reply;
  reply.status = status;
  reply.headers.push_back({"Content-Type", "text/plain; charset=utf-8"});
  reply.body = std::move(body);
  return reply;
}

bool StatusHasBody(int status) { return status >= 200 && status != 204 && status != 304; }

std::string SerializeHead(const HttpReply& reply, bool keep_alive) {
  std::string head = absl::StrCat("HTTP/1.1 ", reply.status, " ", Reason(reply.status), "\r\n");
  for (const HttpHeader& header : reply.headers) {
    absl::StrAppend(&head, header.name, ": ", header.value, "\r\n");
  }
  if (StatusHasBody(reply.status)) {
    absl::StrAppend(&head, "Content-Length: ", reply.body.size() + reply.pattern_bytes, "\r\n");
  }
  absl::StrAppend(&head, "Connection: ", keep_alive ? "keep-alive" : "close", "\r\n\r\n");
  return head;
}

}  // namespace sockgate::testing
