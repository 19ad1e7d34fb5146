#include "client/launch/trust_store.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sockgate::launch {
namespace {

constexpr char kUsualFile[] = "/etc/ssl/certs/ca-certificates.crt";

// Certificates of one OpenSSL mean nothing to another, so libcurl's must be the one linked here; as
// far as its version tells.
bool SharesOpenssl() {
  const char* theirs = curl_version_info(CURLVERSION_NOW)->ssl_version;
  const std::string ours = absl::StrCat("OpenSSL/", OpenSSL_version(OPENSSL_VERSION_STRING));
  return theirs != nullptr && ours == theirs;
}

void FreeInfos(STACK_OF(X509_INFO) * infos) { sk_X509_INFO_pop_free(infos, X509_INFO_free); }

// A name that no folder can have, for each store another.
std::string NoFolder() {
  static std::atomic<uint64_t> count{0};
  return absl::StrCat("/dev/null/trust-store-", getpid(), "-", ++count);
}

// For ranges of certificates by their subject.
struct SubjectLess {
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return X509_NAME_cmp(Subject(a), Subject(b)) < 0;
  }
  static const X509_NAME* Subject(const X509_NAME* name) { return name; }
  template <typename Pointer>
  static const X509_NAME* Subject(const Pointer& certificate) {
    return X509_get_subject_name(certificate.get());
  }
};

}  // namespace

void TrustStore::Free::operator()(X509* certificate) const { X509_free(certificate); }

TrustStore::TrustStore(std::string pem, Certificates by_subject)
    : pem_(std::move(pem)), by_subject_(std::move(by_subject)), no_folder_(NoFolder()) {}

TrustStore::Certificates TrustStore::Parse(const std::string& pem) {
  Certificates all;
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<STACK_OF(X509_INFO), decltype(&FreeInfos)> infos(
      PEM_X509_INFO_read_bio(text.get(), nullptr, nullptr, nullptr), FreeInfos);
  if (infos == nullptr) return all;
  for (int i = 0; i < sk_X509_INFO_num(infos.get()); ++i) {
    X509* const certificate = sk_X509_INFO_value(infos.get(), i)->x509;
    if (certificate != nullptr && X509_up_ref(certificate) == 1) all.emplace_back(certificate);
  }
  std::stable_sort(all.begin(), all.end(), SubjectLess());
  return all;
}

absl::StatusOr<std::unique_ptr<TrustStore>> TrustStore::Load(const std::string& file, Way way) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read certificates from ", file));
  }
  std::string pem{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  return FromPem(std::move(pem), file, way);
}

absl::StatusOr<std::unique_ptr<TrustStore>> TrustStore::LoadSystem() {
  const curl_version_info_data* libcurl = curl_version_info(CURLVERSION_NOW);
  // `cainfo` came with 7.70, the eighth form of this struct.
  const bool told = libcurl->age >= CURLVERSION_EIGHTH && libcurl->cainfo != nullptr;
  return Load(told ? libcurl->cainfo : kUsualFile);
}

absl::StatusOr<std::unique_ptr<TrustStore>> TrustStore::FromPem(std::string pem,
                                                                const std::string& name, Way way) {
  Certificates certificates = Parse(pem);
  if (certificates.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " holds no certificate in PEM"));
  }
  if (way == Way::kBest && SharesOpenssl()) pem.clear();
  return std::unique_ptr<TrustStore>(new TrustStore(std::move(pem), std::move(certificates)));
}

absl::Status TrustStore::Attach(CURL* easy) const {
  for (const CURLoption option :
       {CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH}) {
    curl_easy_setopt(easy, option, nullptr);
  }
  if (!shared()) return AttachText(easy);
  if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &TrustStore::OfferToConnection) !=
      CURLE_OK) {
    return absl::FailedPreconditionError("this libcurl has no CURLOPT_SSL_CTX_FUNCTION");
  }
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, nullptr);
  curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, nullptr);
  curl_easy_setopt(easy, CURLOPT_CAPATH, no_folder_.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, no_folder_.c_str());
  return absl::OkStatus();
}

absl::Status TrustStore::AttachText(CURL* easy) const {
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, nullptr);
  curl_blob blob = {const_cast<char*>(pem_.data()), pem_.size(), CURL_BLOB_NOCOPY};
  if (curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK ||
      curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &blob) != CURLE_OK) {
    return absl::FailedPreconditionError("this libcurl has no CURLOPT_CAINFO_BLOB");
  }
  return absl::OkStatus();
}

// libcurl calls it for the server's TLS and for an HTTPS proxy's. The context's store is that
// connection's own: with a CURLOPT_CAPATH libcurl keeps none for others.
CURLcode TrustStore::OfferToConnection(CURL* /*easy*/, void* ssl_context, void* trust) {
  static X509_LOOKUP_METHOD* const method = [] {
    X509_LOOKUP_METHOD* made = X509_LOOKUP_meth_new("sockgate trust store");
    X509_LOOKUP_meth_set_get_by_subject(made, &TrustStore::FindBySubject);
    return made;
  }();
  X509_STORE* const store = SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(ssl_context));
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, method);
  if (lookup == nullptr || X509_LOOKUP_set_method_data(lookup, trust) != 1) {
    return CURLE_OUT_OF_MEMORY;
  }
  return CURLE_OK;
}

// OpenSSL looks into the connection's store again afterwards, so that is where they go.
int TrustStore::FindBySubject(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name,
                              X509_OBJECT* found) {
  if (type != X509_LU_X509) return 0;
  const auto* trust = static_cast<const TrustStore*>(X509_LOOKUP_get_method_data(lookup));
  const auto [first, last] =
      std::equal_range(trust->by_subject_.begin(), trust->by_subject_.end(), name, SubjectLess());
  for (auto one = first; one != last; ++one) {
    if (X509_STORE_add_cert(X509_LOOKUP_get_store(lookup), one->get()) != 1) return 0;
  }
  if (first == last || X509_OBJECT_set1_X509(found, first->get()) != 1) return 0;
  X509_free(first->get());  // `found` borrows: its owner takes a reference of its own
  return 1;
}

}  // namespace sockgate::launch
