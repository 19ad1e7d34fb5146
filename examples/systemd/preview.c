/* A service for link previews: whoever connects sends a URL and a line's end, and gets the page.
 * systemd starts one confined process for each connection, without a network of its own; the sockets
 * come from the broker of sockgate.service.
 *
 *   cc -std=c99 preview.c -o preview $(pkg-config --cflags --libs sockgate libcurl)
 *   install -D preview /usr/local/libexec/preview
 *   install -m 0644 preview.socket preview@.service /etc/systemd/system/
 *   groupadd --system sockgate-workers   # and SocketGroup=sockgate-workers in sockgate.socket
 *   systemctl daemon-reload && systemctl start preview.socket
 *   echo http://example.com/ | socat - UNIX-CONNECT:/run/preview.sock
 */
#include <curl/curl.h>
#include <sockgate/sockgate.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { kConnection = 3, kMostUrlBytes = 2048, kMostPageBytes = 1 << 20 };

static size_t send_page(char* data, size_t size, size_t count, void* left) {
  const size_t bytes = size * count;
  if (bytes > *(size_t*)left) return 0;
  *(size_t*)left -= bytes;
  return send(kConnection, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes ? bytes : 0;
}

/* One line, without its end; false if it is too long or breaks off. */
static int read_url(char* url) {
  size_t used = 0;
  while (used < kMostUrlBytes) {
    const ssize_t part = recv(kConnection, url + used, kMostUrlBytes - used, 0);
    char* end;
    if (part <= 0) return 0;
    used += (size_t)part;
    if ((end = memchr(url, '\n', used)) == NULL) continue;
    *end = '\0';
    return 1;
  }
  return 0;
}

static int fetch(sockgate_curl* curl, const sockgate_trust* trust, const char* url) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  CURL* easy = curl_easy_init();
  size_t left = kMostPageBytes;
  CURLcode code;
  if (sockgate_curl_attach(curl, easy, &error) || sockgate_trust_attach(trust, easy, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, send_page);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &left);
  code = curl_easy_perform(easy);
  if (sockgate_curl_explain(curl, easy, code, &error)) fprintf(stderr, "%s\n", error.text);
  return (int)code;
}

int main(int argc, char** argv) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_client* client;
  sockgate_trust* trust;
  sockgate_curl* curl;
  char url[kMostUrlBytes];
  if (argc != 2 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return 2;
  if (sockgate_client_from_path(argv[1], &client, &error) || /* of the broker */
      sockgate_names_arm(client, &error) || sockgate_trust_load(NULL, &trust, &error) ||
      sockgate_curl_new(client, SOCKGATE_CONNECTED, 10000, &curl, &error) ||
      sockgate_confine(NULL, NULL, &error)) {
    fprintf(stderr, "%s\n", error.text);
    return 1;
  }
  return read_url(url) ? fetch(curl, trust, url) : 1; /* the first hostile byte */
}
