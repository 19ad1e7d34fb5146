#include "tests/library/cases.h"

static void versions_agree(void) { CHECK(strcmp(sockgate_version(), SOCKGATE_VERSION) == 0); }

static void every_code_has_a_name_of_its_own(void) {
  int a;
  int b;
  for (a = SOCKGATE_OK; a <= SOCKGATE_TRANSFER; ++a) {
    const int is_code = a <= SOCKGATE_BAD_REPLY || a >= SOCKGATE_BAD_ARGUMENT;
    CHECK((strcmp(sockgate_code_name(a), "unknown") != 0) == is_code);
    for (b = SOCKGATE_OK; b < a && is_code; ++b) {
      CHECK(strcmp(sockgate_code_name(a), sockgate_code_name(b)) != 0);
    }
  }
  CHECK(strcmp(sockgate_code_name(-1), "unknown") == 0);
}

/* Of 64 bits. They may grow at the end, and then a case is added for the old size. */
static void structs_are_laid_out_as_in_0_1(void) {
  CHECK(sizeof(void*) == 8);
  CHECK(sizeof(sockgate_error) == 568 && offsetof(sockgate_error, text) == 56);
  CHECK(sizeof(sockgate_socket) == 24 && offsetof(sockgate_socket, rule) == 16);
  CHECK(sizeof(sockgate_confinement) == 40 && offsetof(sockgate_confinement, calls) == 32);
  CHECK(sizeof(sockgate_in_force) == 304 && offsetof(sockgate_in_force, text) == 48);
  CHECK(sizeof(sockgate_worker_options) == 40 &&
        offsetof(sockgate_worker_options, keep_count) == 32);
}

#define REFUSES(call)                               \
  do {                                              \
    memset(error.text, 0, sizeof(error.text));      \
    CHECK_CODE(SOCKGATE_BAD_ARGUMENT, call, error); \
    CHECK(error.text[0] != '\0');                   \
  } while (0)

static int do_nothing(int channel, void* context) { return channel < 0 && context != NULL; }

static void null_is_refused_everywhere(void) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_error* const e = &error;
  sockgate_socket made = SOCKGATE_SOCKET_INIT;
  sockgate_addresses* addresses = NULL;
  sockgate_in_force in_force = SOCKGATE_IN_FORCE_INIT;
  struct sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  struct sockaddr* const address = (struct sockaddr*)&storage;
  int number = 0;
  memset(&storage, 0, sizeof(storage));
  REFUSES(sockgate_client_from_path(NULL, NULL, e));
  REFUSES(sockgate_client_from_path("/x", NULL, e));
  REFUSES(sockgate_client_from_descriptor(-1, -1, NULL, e));
  REFUSES(sockgate_client_from_environment(NULL, e));
  REFUSES(sockgate_connect(NULL, address, length, SOCK_STREAM, 1, 1, &made, e));
  REFUSES(sockgate_connect_ip(NULL, "192.0.2.1", 1, 1, 1, &made, e));
  REFUSES(sockgate_resolve(NULL, "x", AF_INET, &addresses, e));
  REFUSES(sockgate_names_arm(NULL, e));
  REFUSES(sockgate_names_expect_connect(0, NULL, 0, 0, e));
  REFUSES(sockgate_curl_new(NULL, 1, 1, NULL, e));
  REFUSES(sockgate_curl_attach(NULL, e, e));
  REFUSES(sockgate_curl_resolve_ahead(NULL, e, "http://x/", e));
  REFUSES(sockgate_curl_prepare(NULL, e, "http://x/", e));
  REFUSES(sockgate_curl_preconnect(NULL, "x", 80, 1, NULL, e));
  REFUSES(sockgate_curl_explain(NULL, e, 7, e));
  REFUSES(sockgate_trust_load(NULL, NULL, e));
  REFUSES(sockgate_trust_attach(NULL, e, e));
  REFUSES(sockgate_worker_start(-1, NULL, NULL, do_nothing, NULL, NULL, e));
  REFUSES(sockgate_worker_exec(-1, NULL, NULL, NULL, e));
  REFUSES(sockgate_worker_in_force(NULL, &in_force, e));
  REFUSES(sockgate_worker_wait(NULL, &number, e));
  REFUSES(sockgate_broker_start(NULL, -1, NULL, e));
  REFUSES(sockgate_broker_start("", -1, NULL, e));
  REFUSES(sockgate_broker_start_file(NULL, -1, NULL, e));
  REFUSES(sockgate_broker_add_worker(NULL, "x", &number, e));
  CHECK(sockgate_addresses_get(NULL, 0, 1, &storage, &length) == SOCKGATE_BAD_ARGUMENT);
  CHECK(sockgate_addresses_count(NULL) == 0 && sockgate_addresses_ttl(NULL) == 0);
  CHECK(sockgate_addresses_text(NULL, 0) == NULL);
  CHECK(sockgate_addresses_canonical_name(NULL)[0] == '\0');
  CHECK(sockgate_client_resolves(NULL) == 0);
  CHECK(sockgate_worker_pid(NULL) == -1 && sockgate_broker_pid(NULL) == -1);
}

static void null_is_freed(void) {
  sockgate_addresses_free(NULL);
  sockgate_broker_free(NULL);
  sockgate_client_free(NULL);
  sockgate_curl_detach(NULL, NULL);
  sockgate_curl_free(NULL);
  sockgate_names_disarm();
  sockgate_socket_close(NULL);
  sockgate_trust_free(NULL);
  sockgate_worker_free(NULL);
  sockgate_worker_kill(NULL);
}

static void an_error_of_no_size_is_refused_and_left_alone(void) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_client* client = NULL;
  error.size = 8;
  error.code = 4711;
  CHECK(sockgate_client_from_path("/nowhere", &client, &error) == SOCKGATE_BAD_ARGUMENT);
  CHECK(error.code == 4711);
}

/* Both as from a header that is newer than the library. */
static void a_longer_error_is_told_what_is_known(void) {
  struct {
    sockgate_error known;
    long newer;
  } error = {SOCKGATE_ERROR_INIT, 4711};
  sockgate_client* client = NULL;
  error.known.size = sizeof(error);
  CHECK(sockgate_client_from_path("/nowhere", &client, &error.known) == SOCKGATE_UNAVAILABLE);
  CHECK(error.known.size == sizeof(error) && error.known.code == SOCKGATE_UNAVAILABLE);
  CHECK(error.known.text[0] != '\0' && error.newer == 4711);
}

static void a_longer_struct_may_say_nothing_new(void) {
  struct {
    sockgate_worker_options known;
    long newer;
  } options = {SOCKGATE_WORKER_OPTIONS_INIT, 0};
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_worker* worker = NULL;
  options.known.size = sizeof(options);
  options.newer = 1;
  REFUSES(sockgate_worker_start(-1, &options.known, NULL, do_nothing, NULL, &worker, &error));
  CHECK(strstr(error.text, "newer") != NULL);
  options.newer = 0; /* on to the channel, which is none */
  REFUSES(sockgate_worker_start(-1, &options.known, NULL, do_nothing, NULL, &worker, &error));
  CHECK(strstr(error.text, "newer") == NULL);
  options.known.size = 4;
  REFUSES(sockgate_worker_start(-1, &options.known, NULL, do_nothing, NULL, &worker, &error));
}

const test_case kArgumentCases[] = {
    {"VersionsAgree", versions_agree},
    {"EveryCodeHasANameOfItsOwn", every_code_has_a_name_of_its_own},
    {"StructsAreLaidOutAsIn0_1", structs_are_laid_out_as_in_0_1},
    {"NullIsRefusedEverywhere", null_is_refused_everywhere},
    {"NullIsFreed", null_is_freed},
    {"AnErrorOfNoSizeIsRefusedAndLeftAlone", an_error_of_no_size_is_refused_and_left_alone},
    {"ALongerErrorIsToldWhatIsKnown", a_longer_error_is_told_what_is_known},
    {"ALongerStructMaySayNothingNew", a_longer_struct_may_say_nothing_new},
    {NULL, NULL}};
