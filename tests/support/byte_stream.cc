#include "tests/support/byte_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace sockgate::testing {
namespace {

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(UniqueFd socket) : socket_(std::move(socket)) {}
  ~PlainStream() override { shutdown(socket_.get(), SHUT_RDWR); }

  IoResult Read(char* buffer, size_t size) override {
    return Judge(recv(socket_.get(), buffer, size, 0), IoStatus::kWantRead);
  }

  IoResult Write(absl::string_view bytes) override {
    return Judge(send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
                 IoStatus::kWantWrite);
  }

  void CloseOutput() override { shutdown(socket_.get(), SHUT_WR); }

 private:
  static IoResult Judge(ssize_t moved, IoStatus when_blocked) {
    if (moved > 0) return {IoStatus::kMoved, static_cast<size_t>(moved)};
    if (moved < 0 && (errno == EAGAIN || errno == EINTR)) return {when_blocked, 0};
    return {IoStatus::kClosed, 0};
  }

  UniqueFd socket_;
};

}  // namespace

std::unique_ptr<ByteStream> MakePlainStream(UniqueFd socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace sockgate::testing
