#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <unistd.h>

#include "tests/library/cases.h"

static sockgate_error error = SOCKGATE_ERROR_INIT;

static size_t append(char* data, size_t size, size_t count, void* body) {
  strncat(body, data, size * count);
  return size * count;
}

/* Attached to an adapter of this mode; names are armed. */
typedef struct {
  sockgate_broker* broker;
  sockgate_client* client;
  sockgate_curl* curl;
  CURL* easy;
  char body[256];
} world;

static void open_world(world* w, int mode) {
  memset(w, 0, sizeof(*w));
  w->broker = start_broker(LOOPBACK_POLICY);
  w->client = make_client(w->broker);
  CHECK_CODE(SOCKGATE_OK, sockgate_names_arm(w->client, &error), error);
  CHECK_CODE(SOCKGATE_OK, sockgate_curl_new(w->client, mode, 5000, &w->curl, &error), error);
  w->easy = curl_easy_init();
  curl_easy_setopt(w->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(w->easy, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(w->easy, CURLOPT_WRITEDATA, w->body);
  CHECK_CODE(SOCKGATE_OK, sockgate_curl_attach(w->curl, w->easy, &error), error);
}

static void close_world(world* w) {
  sockgate_curl_detach(w->curl, w->easy);
  curl_easy_cleanup(w->easy);
  sockgate_curl_free(w->curl);
  sockgate_names_disarm();
  sockgate_client_free(w->client);
  sockgate_broker_free(w->broker);
}

static CURLcode fetch(world* w, const char* url) {
  curl_easy_setopt(w->easy, CURLOPT_URL, url);
  return curl_easy_perform(w->easy);
}

static void fetch_hello(int mode) {
  world w;
  char url[64];
  snprintf(url, sizeof(url), "http://localhost:%d/", serve_http());
  open_world(&w, mode);
  CHECK(fetch(&w, url) == CURLE_OK);
  CHECK(strcmp(w.body, "hello\n") == 0);
  CHECK_CODE(SOCKGATE_OK, sockgate_curl_explain(w.curl, w.easy, CURLE_OK, &error), error);
  close_world(&w);
}

static void it_fetches(void) { fetch_hello(SOCKGATE_CONNECTED); }
static void it_fetches_in_progress(void) { fetch_hello(SOCKGATE_IN_PROGRESS); }

static void a_denial_is_explained(void) {
  world w;
  CURLcode code;
  open_world(&w, SOCKGATE_IN_PROGRESS);
  code = fetch(&w, "http://192.0.2.1/");
  CHECK(code == CURLE_COULDNT_CONNECT);
  CHECK_CODE(SOCKGATE_DENIED, sockgate_curl_explain(w.curl, w.easy, code, &error), error);
  CHECK(strcmp(error.text, "192.0.2.1:80: denied by the default (no-rule-matches)") == 0);
  code = fetch(&w, "http://x.example/");
  CHECK(code == CURLE_COULDNT_RESOLVE_HOST);
  CHECK_CODE(SOCKGATE_DENIED, sockgate_curl_explain(w.curl, w.easy, code, &error), error);
  CHECK(strncmp(error.text, "x.example: denied", 17) == 0);
  close_world(&w);
}

static void libcurls_own_failures_are_its_own(void) {
  world w;
  CURLcode code;
  open_world(&w, SOCKGATE_IN_PROGRESS);
  code = fetch(&w, "nonsense://x/");
  CHECK(code == CURLE_UNSUPPORTED_PROTOCOL);
  CHECK_CODE(SOCKGATE_TRANSFER, sockgate_curl_explain(w.curl, w.easy, code, &error), error);
  CHECK(error.text[0] != '\0');
  close_world(&w);
}

static void names_are_looked_up_ahead(void) {
  world w;
  char url[64];
  snprintf(url, sizeof(url), "http://localhost:%d/", refusing_port());
  open_world(&w, SOCKGATE_CONNECTED);
  CHECK_CODE(SOCKGATE_OK, sockgate_curl_resolve_ahead(w.curl, w.easy, url, &error), error);
  CHECK_CODE(SOCKGATE_DENIED,
             sockgate_curl_resolve_ahead(w.curl, w.easy, "http://x.example/", &error), error);
  sockgate_curl_detach(w.curl, w.easy);
  CHECK_CODE(SOCKGATE_BAD_REQUEST, sockgate_curl_resolve_ahead(w.curl, w.easy, url, &error), error);
  close_world(&w);
}

/* What was asked for ahead is there when there is nobody left to ask. */
static void sockets_are_asked_for_ahead(void) {
  world w;
  sockgate_socket made = SOCKGATE_SOCKET_INIT;
  size_t ready = 7;
  char url[64];
  const int port = serve_http();
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/", port);
  open_world(&w, SOCKGATE_CONNECTED);
  CHECK_CODE(SOCKGATE_OK,
             sockgate_curl_preconnect(w.curl, "127.0.0.1", (uint16_t)port, 0, &ready, &error),
             error);
  CHECK(ready == 0);
  CHECK_CODE(SOCKGATE_OK, sockgate_curl_prepare(w.curl, w.easy, url, &error), error);
  CHECK_CODE(SOCKGATE_OK,
             sockgate_curl_preconnect(w.curl, "127.0.0.1", (uint16_t)port, 1, &ready, &error),
             error);
  CHECK(ready == 1);
  /* The broker is past them when it has answered this. */
  CHECK_CODE(SOCKGATE_NETWORK,
             sockgate_connect_ip(w.client, "127.0.0.1", (uint16_t)refusing_port(),
                                 SOCKGATE_CONNECTED, 5000, &made, &error),
             error);
  sockgate_broker_free(w.broker);
  w.broker = NULL;
  CHECK(fetch(&w, url) == CURLE_OK);
  CHECK(strcmp(w.body, "hello\n") == 0);
  close_world(&w);
}

static void somebody_has_to_answer_connect(void) {
  world w;
  open_world(&w, SOCKGATE_IN_PROGRESS);
  CHECK_CODE(SOCKGATE_BAD_STATE, sockgate_names_arm(w.client, &error), error);
  sockgate_names_disarm();
  CHECK_CODE(SOCKGATE_BAD_STATE, sockgate_curl_attach(w.curl, w.easy, &error), error);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_curl_new(w.client, 0, 1, &w.curl, &error), error);
  close_world(&w);
}

static void the_whole_process_asks_the_broker(void) {
  world w;
  struct addrinfo* list = NULL;
  open_world(&w, SOCKGATE_CONNECTED);
  CHECK(getaddrinfo("localhost", "80", NULL, &list) == 0);
  freeaddrinfo(list);
  CHECK(getaddrinfo("x.example", "80", NULL, &list) != 0);
  close_world(&w);
}

/* As in a callback of libcurl's that a program has set itself. */
static void connect_is_answered_once_for_an_expected_socket(void) {
  world w;
  struct sockaddr_in address;
  const struct sockaddr* const to = (const struct sockaddr*)&address;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof(address));
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(refusing_port());
  CHECK_CODE(SOCKGATE_BAD_STATE, sockgate_names_expect_connect(fd, to, sizeof(address), 0, &error),
             error);
  open_world(&w, SOCKGATE_CONNECTED);
  CHECK_CODE(SOCKGATE_OK, sockgate_names_expect_connect(fd, to, sizeof(address), 0, &error), error);
  CHECK(connect(fd, to, sizeof(address)) == 0);
  CHECK_CODE(SOCKGATE_OK,
             sockgate_names_expect_connect(fd, to, sizeof(address), SOCKGATE_STARTED, &error),
             error);
  CHECK(connect(fd, to, sizeof(address)) == -1 && errno == EINPROGRESS);
  CHECK(connect(fd, to, sizeof(address)) == -1 && errno == ECONNREFUSED);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT,
             sockgate_names_expect_connect(-1, to, sizeof(address), 0, &error), error);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT,
             sockgate_names_expect_connect(fd, to, sizeof(address), 8, &error), error);
  CHECK_CODE(SOCKGATE_TABLE_FULL,
             sockgate_names_expect_connect(1 << 30, to, sizeof(address), 0, &error), error);
  close_world(&w);
}

static void certificates_are_read_ahead(void) {
  sockgate_trust* trust = NULL;
  CURL* easy = curl_easy_init();
  CHECK_CODE(SOCKGATE_OK, sockgate_trust_load(NULL, &trust, &error), error);
  CHECK_CODE(SOCKGATE_OK, sockgate_trust_attach(trust, easy, &error), error);
  curl_easy_cleanup(easy);
  sockgate_trust_free(trust);
  CHECK_CODE(SOCKGATE_UNAVAILABLE, sockgate_trust_load("/nowhere", &trust, &error), error);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_trust_load("/dev/null", &trust, &error), error);
}

const test_case kCurlCases[] = {
    {"ItFetches", it_fetches},
    {"ItFetchesInProgress", it_fetches_in_progress},
    {"ADenialIsExplained", a_denial_is_explained},
    {"LibcurlsOwnFailuresAreItsOwn", libcurls_own_failures_are_its_own},
    {"NamesAreLookedUpAhead", names_are_looked_up_ahead},
    {"SocketsAreAskedForAhead", sockets_are_asked_for_ahead},
    {"SomebodyHasToAnswerConnect", somebody_has_to_answer_connect},
    {"TheWholeProcessAsksTheBroker", the_whole_process_asks_the_broker},
    {"ConnectIsAnsweredOnceForAnExpectedSocket", connect_is_answered_once_for_an_expected_socket},
    {"CertificatesAreReadAhead", certificates_are_read_ahead},
    {NULL, NULL}};
