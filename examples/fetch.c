/* Fetches URLs in a confined worker. Its sockets come from a broker, as the policy allows.
 *
 *   cc -std=c99 fetch.c -o fetch $(pkg-config --cflags --libs sockgate libcurl)
 *   ./fetch fetch.toml http://example.com/ https://example.com/
 */
#include <curl/curl.h>
#include <sockgate/sockgate.h>
#include <stdio.h>

static sockgate_client* client;
static sockgate_trust* trust;

static int say(const char* what, const sockgate_error* error) {
  fprintf(stderr, "fetch: %s: %s\n", what, error->text);
  return 1;
}

/* In the worker, before it is confined: whatever needs a file. */
static int prepare(int channel, void* urls) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  (void)urls;
  if (sockgate_client_from_descriptor(channel, -1, &client, &error)) return say("broker", &error);
  if (sockgate_names_arm(client, &error)) return say("names", &error);
  if (sockgate_trust_load(NULL, &trust, &error)) return say("certificates", &error);
  return (int)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* Confined. From here on it may be taken over. */
static int fetch(int channel, void* urls) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_curl* curl;
  CURL* easy = curl_easy_init();
  int failed = 0;
  (void)channel;
  if (sockgate_curl_new(client, SOCKGATE_IN_PROGRESS, 30000, &curl, &error) ||
      sockgate_curl_attach(curl, easy, &error) || sockgate_trust_attach(trust, easy, &error)) {
    return say("libcurl", &error);
  }
  for (char** url = urls; *url != NULL; ++url) {
    curl_easy_setopt(easy, CURLOPT_URL, *url);
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*"); /* those of the environment */
    const CURLcode code = curl_easy_perform(easy);
    if (sockgate_curl_explain(curl, easy, code, &error)) failed = say(*url, &error);
  }
  sockgate_curl_detach(curl, easy);
  curl_easy_cleanup(easy);
  sockgate_curl_free(curl);
  return failed;
}

int main(int argc, char** argv) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker;
  sockgate_worker* worker;
  int channel;
  int status;
  if (argc < 3) {
    fputs("usage: fetch POLICY URL...\n", stderr);
    return 2;
  }
  if (sockgate_broker_start_file(argv[1], -1, &broker, &error)) return say("policy", &error);
  if (sockgate_broker_add_worker(broker, "fetch", &channel, &error) ||
      sockgate_worker_start(channel, NULL, prepare, fetch, argv + 2, &worker, &error) ||
      sockgate_worker_wait(worker, &status, &error)) {
    return say("worker", &error);
  }
  sockgate_worker_free(worker);
  sockgate_broker_free(broker);
  return status < 0 ? 128 - status : status; /* killed by a signal, as a shell says it */
}
