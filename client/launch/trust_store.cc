#include "client/launch/trust_store.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sockgate::launch {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)>;

constexpr char kUsualFile[] = "/etc/ssl/certs/ca-certificates.crt";

// A store of one OpenSSL means nothing to another, so libcurl's must be the one linked here.
bool SharesOpenssl() {
  const char* theirs = curl_version_info(CURLVERSION_NOW)->ssl_version;
  const std::string ours = absl::StrCat("OpenSSL/", OpenSSL_version(OPENSSL_VERSION_STRING));
  return theirs != nullptr && ours == theirs;
}

void FreeInfos(STACK_OF(X509_INFO) * infos) { sk_X509_INFO_pop_free(infos, X509_INFO_free); }

// The stack is sorted at the first search: once here, and not in each worker, where sorting would
// touch all of it and ask for the size of memory (sysinfo(2), by qsort(3)).
void Sort(X509_STORE* store) {
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> search(X509_STORE_CTX_new(),
                                                                               X509_STORE_CTX_free);
  const std::unique_ptr<X509_NAME, decltype(&X509_NAME_free)> nobody(X509_NAME_new(),
                                                                     X509_NAME_free);
  if (X509_STORE_CTX_init(search.get(), store, nullptr, nullptr) != 1) return;
  X509_OBJECT_free(X509_STORE_CTX_get_obj_by_subject(search.get(), X509_LU_X509, nobody.get()));
}

// The number of certificates that the text has.
size_t Fill(X509_STORE* store, const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<STACK_OF(X509_INFO), decltype(&FreeInfos)> infos(
      PEM_X509_INFO_read_bio(text.get(), nullptr, nullptr, nullptr), FreeInfos);
  if (infos == nullptr) return 0;
  size_t certificates = 0;
  for (int i = 0; i < sk_X509_INFO_num(infos.get()); ++i) {
    const X509_INFO* info = sk_X509_INFO_value(infos.get(), i);
    if (info->x509 != nullptr && X509_STORE_add_cert(store, info->x509) == 1) ++certificates;
  }
  return certificates;
}

// Verifies as libcurl's own store does: the store before what the server sends, and a trusted
// certificate ends the chain even if it is no root.
StorePtr MakeStore() {
  StorePtr store(X509_STORE_new(), X509_STORE_free);
  X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrustStore>> TrustStore::Load(const std::string& file, Way way) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot read certificates from ", file));
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
  StorePtr store = MakeStore();
  const size_t certificates = Fill(store.get(), pem);
  if (certificates == 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, " holds no certificate in PEM"));
  }
  if (way == Way::kText || !SharesOpenssl()) {
    return std::unique_ptr<TrustStore>(new TrustStore(std::move(pem), nullptr, certificates));
  }
  Sort(store.get());
  return std::unique_ptr<TrustStore>(new TrustStore("", store.release(), certificates));
}

TrustStore::~TrustStore() { X509_STORE_free(store_); }

absl::Status TrustStore::Attach(CURL* easy) const {
  // A folder would be opened during the handshake, and a file for each handle.
  for (const CURLoption option :
       {CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_PROXY_CAINFO, CURLOPT_PROXY_CAPATH}) {
    curl_easy_setopt(easy, option, nullptr);
  }
  if (store_ == nullptr) return AttachText(easy);
  if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &TrustStore::GiveStore) != CURLE_OK) {
    return absl::FailedPreconditionError("this libcurl has no CURLOPT_SSL_CTX_FUNCTION");
  }
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, store_);
  curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, nullptr);
  curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, nullptr);
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

// libcurl calls it for the server's TLS and for an HTTPS proxy's.
CURLcode TrustStore::GiveStore(CURL* /*easy*/, void* ssl_context, void* store) {
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(ssl_context), static_cast<X509_STORE*>(store));
  return CURLE_OK;
}

}  // namespace sockgate::launch
