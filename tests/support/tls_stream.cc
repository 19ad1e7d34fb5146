#include "tests/support/tls_stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <utility>

namespace sockgate::testing {
namespace {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, SslFree>;

class TlsStream final : public ByteStream {
 public:
  TlsStream(UniqueFd socket, Ssl ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {}
  ~TlsStream() override { shutdown(socket_.get(), SHUT_RDWR); }

  IoResult Read(char* buffer, size_t size) override {
    if (broken_) return {IoStatus::kClosed, 0};
    ERR_clear_error();
    size_t moved = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer, size, &moved);
    return Judge(result, moved);
  }

  IoResult Write(absl::string_view bytes) override {
    if (broken_) return {IoStatus::kClosed, 0};
    ERR_clear_error();
    size_t moved = 0;
    const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &moved);
    return Judge(result, moved);
  }

  void CloseOutput() override {
    // OpenSSL forbids the farewell after a fatal error, and has none before the handshake.
    if (!broken_ && SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
    shutdown(socket_.get(), SHUT_WR);
  }

 private:
  IoResult Judge(int result, size_t moved) {
    if (result == 1) return {IoStatus::kMoved, moved};
    switch (SSL_get_error(ssl_.get(), result)) {
      case SSL_ERROR_WANT_READ:
        return {IoStatus::kWantRead, 0};
      case SSL_ERROR_WANT_WRITE:
        return {IoStatus::kWantWrite, 0};
      case SSL_ERROR_ZERO_RETURN:
        return {IoStatus::kClosed, 0};
      default:
        broken_ = true;
        return {IoStatus::kClosed, 0};
    }
  }

  UniqueFd socket_;
  Ssl ssl_;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<ByteStream> MakeTlsStream(UniqueFd socket, SSL_CTX* context) {
  Ssl ssl(SSL_new(context));
  if (ssl == nullptr || SSL_set_fd(ssl.get(), socket.get()) != 1) return nullptr;
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsStream>(std::move(socket), std::move(ssl));
}

}  // namespace sockgate::testing
