#include "tests/support/tls_identity.h"

#include <absl/status/status.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

namespace sockgate::testing {
namespace {

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;

constexpr int kX509v3 = 2;
constexpr int kSerialBytes = 8;
constexpr int kHour = 60 * 60;
constexpr int kWeek = 7 * 24 * kHour;

absl::Status SslError(absl::string_view what) {
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  ERR_clear_error();
  return absl::InternalError(absl::StrCat(what, ": ", reason.data()));
}

bool IsAddress(const std::string& name) {
  in6_addr ignored{};
  return inet_pton(AF_INET, name.c_str(), &ignored) == 1 ||
         inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

// A name is spliced into OpenSSL's little language for extensions, so only harmless characters
// pass.
bool IsPlainName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("*-._:", c);
  });
}

bool AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

std::string AltNames(const std::vector<std::string>& names) {
  return absl::StrJoin(names, ",", [](std::string* out, const std::string& name) {
    absl::StrAppend(out, IsAddress(name) ? "IP:" : "DNS:", name);
  });
}

bool AddExtensions(X509* certificate, const std::vector<std::string>& names) {
  return AddExtension(certificate, NID_basic_constraints, "critical,CA:TRUE") &&
         AddExtension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
         AddExtension(certificate, NID_ext_key_usage, "serverAuth") &&
         AddExtension(certificate, NID_subject_key_identifier, "hash") &&
         AddExtension(certificate, NID_subject_alt_name, AltNames(names));
}

// A random serial: a client that meets two certificates of one issuer and serial may refuse the
// second.
bool SetSerial(X509* certificate) {
  std::array<unsigned char, kSerialBytes> random{};
  if (RAND_bytes(random.data(), kSerialBytes) != 1) return false;
  random[0] = (random[0] & 0x7f) | 0x40;
  uint64_t serial = 0;
  for (const unsigned char byte : random) serial = serial << 8 | byte;
  return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1;
}

bool SetSubject(X509* certificate) {
  constexpr unsigned char kCommonName[] = "sockgate loopback server";
  X509_NAME* name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, kCommonName, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1;
}

Certificate SelfSign(EVP_PKEY* key, const std::vector<std::string>& names) {
  Certificate certificate(X509_new());
  X509* const raw = certificate.get();
  const bool good = raw != nullptr && X509_set_version(raw, kX509v3) == 1 && SetSerial(raw) &&
                    X509_gmtime_adj(X509_getm_notBefore(raw), -kHour) != nullptr &&
                    X509_gmtime_adj(X509_getm_notAfter(raw), kWeek) != nullptr && SetSubject(raw) &&
                    X509_set_pubkey(raw, key) == 1 && AddExtensions(raw, names) &&
                    X509_sign(raw, key, EVP_sha256()) != 0;
  return good ? std::move(certificate) : nullptr;
}

std::string Drain(BIO* bio) {
  std::string text(BIO_ctrl_pending(bio), '\0');
  const int got = BIO_read(bio, text.data(), static_cast<int>(text.size()));
  return got == static_cast<int>(text.size()) ? text : "";
}

std::string ToPem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) return "";
  return Drain(bio.get());
}

std::string ToPem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return "";
  }
  return Drain(bio.get());
}

SslContext MakeContext(EVP_PKEY* key, X509* certificate) {
  SslContext context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const raw = context.get();
  if (raw == nullptr || SSL_CTX_use_certificate(raw, certificate) != 1 ||
      SSL_CTX_use_PrivateKey(raw, key) != 1 || SSL_CTX_check_private_key(raw) != 1) {
    return nullptr;
  }
  SSL_CTX_set_read_ahead(raw, 1);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

absl::StatusOr<TlsIdentity> TlsIdentity::Generate(const std::vector<std::string>& extra_names) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  names.insert(names.end(), extra_names.begin(), extra_names.end());
  for (const std::string& name : names) {
    if (!IsPlainName(name)) {
      return absl::InvalidArgumentError(absl::StrCat("no name for a certificate: ", name));
    }
  }
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (key == nullptr) return SslError("generating a key");
  const Certificate certificate = SelfSign(key.get(), names);
  if (certificate == nullptr) return SslError("signing a certificate");
  SslContext context = MakeContext(key.get(), certificate.get());
  std::string pem = ToPem(certificate.get());
  std::string key_pem = ToPem(key.get());
  if (context == nullptr || pem.empty() || key_pem.empty()) return SslError("setting up TLS");
  return TlsIdentity(std::move(context), std::move(pem), std::move(key_pem));
}

}  // namespace sockgate::testing
