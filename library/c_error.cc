#include "library/c_error.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sockgate::c {
namespace {

int CodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return SOCKGATE_OK;
    case absl::StatusCode::kInvalidArgument:
      return SOCKGATE_BAD_ARGUMENT;
    case absl::StatusCode::kFailedPrecondition:
      return SOCKGATE_BAD_STATE;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kUnavailable:
      return SOCKGATE_UNAVAILABLE;
    default:
      return SOCKGATE_SYSTEM;
  }
}

}  // namespace

void CopyText(absl::string_view text, char* out, size_t size) {
  const size_t length = std::min(text.size(), size - 1);
  std::transform(text.begin(), text.begin() + length, out, [](char byte) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(byte)) ? '?' : byte;
  });
  out[length] = '\0';
}

int Succeed(sockgate_error* error) { return Fail(error, SOCKGATE_OK, ""); }

int Fail(sockgate_error* error, int code, absl::string_view text) {
  if (error == nullptr) return code;
  sockgate_error told = SOCKGATE_ERROR_INIT;
  told.size = error->size;
  told.code = code;
  CopyText(text, told.text, sizeof(told.text));
  std::memcpy(error, &told, std::min(told.size, sizeof(told)));
  return code;
}

int Fail(sockgate_error* error, const absl::Status& status) {
  return Fail(error, CodeOf(status), status.message());
}

int FailNull(sockgate_error* error, const char* argument) {
  return Fail(error, SOCKGATE_BAD_ARGUMENT, absl::StrCat(argument, " is null"));
}

}  // namespace sockgate::c

const char* sockgate_version() { return SOCKGATE_VERSION; }

const char* sockgate_code_name(int code) {
  switch (code) {
    case SOCKGATE_OK:
      return "ok";
    case SOCKGATE_DENIED:
      return "denied";
    case SOCKGATE_NETWORK:
      return "network";
    case SOCKGATE_LIMITED:
      return "limited";
    case SOCKGATE_BAD_REQUEST:
      return "bad-request";
    case SOCKGATE_LOOKUP:
      return "lookup";
    case SOCKGATE_NO_RESOLVER:
      return "no-resolver";
    case SOCKGATE_UNSUPPORTED:
      return "unsupported";
    case SOCKGATE_TABLE_FULL:
      return "table-full";
    case SOCKGATE_NO_ANSWER:
      return "no-answer";
    case SOCKGATE_BROKER_GONE:
      return "broker-gone";
    case SOCKGATE_BAD_REPLY:
      return "bad-reply";
    case SOCKGATE_BAD_ARGUMENT:
      return "bad-argument";
    case SOCKGATE_BAD_STATE:
      return "bad-state";
    case SOCKGATE_UNAVAILABLE:
      return "unavailable";
    case SOCKGATE_BAD_POLICY:
      return "bad-policy";
    case SOCKGATE_NO_MEMORY:
      return "no-memory";
    case SOCKGATE_SYSTEM:
      return "system";
    case SOCKGATE_TRANSFER:
      return "transfer";
    default:
      return "unknown";
  }
}
