// TlsIdentity: a fresh key and self-signed certificate, and a server's TLS set-up that uses them.
//
// Process: whichever embeds the loopback server. Nothing touches a disk. Ownership: frees the
// OpenSSL objects it made; streams keep what they need alive. Threads: Generate anywhere; context()
// is for use by one server thread. Errors: Internal, with OpenSSL's reason.

#ifndef SOCKGATE_TESTS_SUPPORT_TLS_IDENTITY_H_
#define SOCKGATE_TESTS_SUPPORT_TLS_IDENTITY_H_

#include <absl/status/statusor.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sockgate::testing {

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

class TlsIdentity {
 public:
  // P-256, valid for a week, for `localhost`, 127.0.0.1, ::1 and each of `extra_names` (DNS names
  // or address literals). It is its own authority: a client that trusts certificate_pem() accepts
  // it.
  static absl::StatusOr<TlsIdentity> Generate(const std::vector<std::string>& extra_names);

  const std::string& certificate_pem() const { return certificate_pem_; }
  // For a server of another program; PKCS #8, without a password.
  const std::string& private_key_pem() const { return private_key_pem_; }
  SSL_CTX* context() const { return context_.get(); }

 private:
  TlsIdentity(SslContext context, std::string certificate_pem, std::string private_key_pem)
      : context_(std::move(context)),
        certificate_pem_(std::move(certificate_pem)),
        private_key_pem_(std::move(private_key_pem)) {}

  SslContext context_;
  std::string certificate_pem_;
  std::string private_key_pem_;
};

}  // namespace sockgate::testing

#endif  // SOCKGATE_TESTS_SUPPORT_TLS_IDENTITY_H_
