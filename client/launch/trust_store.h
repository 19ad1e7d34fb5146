// TrustStore: the certificates that a worker trusts, read and parsed once, before confinement, and
// used by all its transfers afterwards.
//
//   auto trust = *launch::TrustStore::LoadSystem();   // in `prepare`, or in the launcher
//   trust->Attach(easy);                              // in the worker, for each handle
//
// libcurl would open the file for each handle, which a confined worker may not, or parse its text
// for each connection. Where libcurl's TLS is the OpenSSL that this program has, every connection
// shares one X509_STORE instead (CURLOPT_SSL_CTX_FUNCTION); with any other TLS it gets the text
// (CURLOPT_CAINFO_BLOB), and parses that.
//
// Process: launcher or worker. What a launcher loads before it forks is shared by its workers.
// Ownership: the store is its own; it must outlive the handles that it is attached to.
// Threads: Attach from any; transfers in several threads share the store, which OpenSSL locks.
// Blocking: Load reads a file. Attach and what follows from it do not.
// Hostile inputs: none; the file is trusted. Certificates of servers are OpenSSL's affair.
// Failure: a Status that names the file. Nothing is trusted by default.
//
// Sources: CURLOPT_SSL_CTX_FUNCTION(3), CURLOPT_CAINFO_BLOB(3), SSL_CTX_set1_cert_store(3),
// X509_STORE_add_cert(3).

#ifndef SOCKGATE_CLIENT_LAUNCH_TRUST_STORE_H_
#define SOCKGATE_CLIENT_LAUNCH_TRUST_STORE_H_

#include <curl/curl.h>
#include <openssl/types.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sockgate::launch {

class TrustStore {
 public:
  // kText is for tests and measurements: it is slower and trusts the same.
  enum class Way { kBest, kText };

  // The certificates in this file, in PEM. NotFound, or what open(2) says; InvalidArgument for a
  // file without one.
  static absl::StatusOr<std::unique_ptr<TrustStore>> Load(const std::string& file,
                                                          Way way = Way::kBest);

  // The file that libcurl was built to use.
  static absl::StatusOr<std::unique_ptr<TrustStore>> LoadSystem();

  // The same from memory; `name` is for messages.
  static absl::StatusOr<std::unique_ptr<TrustStore>> FromPem(std::string pem,
                                                             const std::string& name,
                                                             Way way = Way::kBest);

  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // The handle's transfers, and their HTTPS proxies, trust these certificates and no others.
  // Replaces CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_CAINFO_BLOB, their PROXY_ twins and
  // CURLOPT_SSL_CTX_FUNCTION; do not set them afterwards. CURLOPT_CRLFILE has no effect on a store
  // that is shared. Whether to verify is still CURLOPT_SSL_VERIFYPEER's. Call it again after
  // curl_easy_reset(). FailedPrecondition: this libcurl takes trust from files only (before 7.77).
  absl::Status Attach(CURL* easy) const;

  // Whether connections share a parsed store.
  bool shared() const { return store_ != nullptr; }

  size_t certificates() const { return certificates_; }

 private:
  TrustStore(std::string pem, X509_STORE* store, size_t certificates)
      : pem_(std::move(pem)), store_(store), certificates_(certificates) {}

  static CURLcode GiveStore(CURL* easy, void* ssl_context, void* store);
  absl::Status AttachText(CURL* easy) const;

  const std::string pem_;    // empty where the store is shared
  X509_STORE* const store_;  // null: the text is given
  const size_t certificates_;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_TRUST_STORE_H_
