// TrustStore: the certificates that a worker trusts, read and parsed once, before confinement, and
// used by all its transfers afterwards.
//
//   auto trust = *launch::TrustStore::LoadSystem();   // in `prepare`, or in the launcher
//   trust->Attach(easy);                              // in the worker, for each handle
//
// libcurl would open the file for each handle, which a confined worker may not, or parse its text
// for each connection. Where libcurl's TLS is the OpenSSL that this program has, each connection
// finds the certificates that it needs here instead (CURLOPT_SSL_CTX_FUNCTION, and a lookup of the
// connection's own store); with any other TLS it gets the text (CURLOPT_CAINFO_BLOB), and parses
// that.
//
// Process: launcher or worker. What a launcher loads before it forks is shared by its workers.
// Ownership: it must outlive the handles that it is attached to, and connections of theirs.
// Threads: Attach from any; transfers in several threads share certificates, which nobody changes.
// Blocking: Load reads a file. Attach and what follows from it do not.
// Hostile inputs: none; the file is trusted. Certificates of servers are OpenSSL's affair.
// Failure: a Status that names the file. Nothing is trusted by default.
//
// Sources: CURLOPT_SSL_CTX_FUNCTION(3), CURLOPT_CAINFO_BLOB(3), CURLOPT_CA_CACHE_TIMEOUT(3),
// X509_LOOKUP_meth_new(3), X509_STORE_add_cert(3).

#ifndef SOCKGATE_CLIENT_LAUNCH_TRUST_STORE_H_
#define SOCKGATE_CLIENT_LAUNCH_TRUST_STORE_H_

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

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

  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // The handle's transfers, and their HTTPS proxies, trust these certificates and no others.
  // Replaces CURLOPT_CAINFO, CURLOPT_CAPATH, CURLOPT_CAINFO_BLOB, their PROXY_ twins and
  // CURLOPT_SSL_CTX_FUNCTION; do not set them afterwards. CURLOPT_CAPATH then names a folder that
  // cannot be, another one for each TrustStore, since libcurl goes by it when it reuses connections
  // and sessions. Whether to verify, and how (CURLOPT_SSL_VERIFYPEER, CURLOPT_CRLFILE,
  // CURLOPT_SSL_OPTIONS), is still the handle's. Call it again after curl_easy_reset().
  // FailedPrecondition: this libcurl takes trust from files only (before 7.77).
  absl::Status Attach(CURL* easy) const;

  // Whether connections share parsed certificates.
  bool shared() const { return pem_.empty(); }

  size_t certificates() const { return by_subject_.size(); }

 private:
  struct Free {
    void operator()(X509* certificate) const;
  };
  using Certificates = std::vector<std::unique_ptr<X509, Free>>;

  TrustStore(std::string pem, Certificates by_subject);

  static Certificates Parse(const std::string& pem);
  static CURLcode OfferToConnection(CURL* easy, void* ssl_context, void* trust);
  static int FindBySubject(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* name,
                           X509_OBJECT* found);
  absl::Status AttachText(CURL* easy) const;

  const std::string pem_;          // empty where certificates are shared
  const Certificates by_subject_;  // sorted
  const std::string no_folder_;
};

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_TRUST_STORE_H_
