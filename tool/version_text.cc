#include "tool/version_text.h"

#include <ares.h>
#include <curl/curl.h>
#include <seccomp.h>

#include "absl/strings/str_cat.h"
#include "library/sockgate.h"

namespace sockgate {

std::string VersionText() {
  const curl_version_info_data* const curl = curl_version_info(CURLVERSION_NOW);
  const scmp_version* const seccomp = seccomp_version();
  return absl::StrCat("sockgate ", SOCKGATE_VERSION, "\nlibcurl ", curl->version, " (",
                      curl->ssl_version == nullptr ? "no TLS" : curl->ssl_version, "), libseccomp ",
                      seccomp->major, ".", seccomp->minor, ".", seccomp->micro, ", c-ares ",
                      ares_version(nullptr));
}

}  // namespace sockgate
