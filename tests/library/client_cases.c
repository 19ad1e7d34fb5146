#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/library/cases.h"

static sockgate_error error = SOCKGATE_ERROR_INIT;
static sockgate_socket made = SOCKGATE_SOCKET_INIT;

static int connect_to(sockgate_client* client, const char* ip, uint16_t port, int mode) {
  return sockgate_connect_ip(client, ip, port, mode, 2000, &made, &error);
}

static void it_connects(void) {
  uint16_t port;
  const int listener = listen_on_loopback(&port);
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  CHECK_CODE(SOCKGATE_OK, connect_to(client, "127.0.0.1", port, SOCKGATE_CONNECTED), error);
  CHECK(made.descriptor >= 0 && made.flags == 0 && made.rule == 1);
  CHECK((fcntl(made.descriptor, F_GETFD) & FD_CLOEXEC) != 0);
  CHECK((fcntl(made.descriptor, F_GETFL) & O_NONBLOCK) != 0);
  CHECK(send(made.descriptor, "x", 1, 0) == 1);
  CHECK(accept(listener, NULL, NULL) >= 0);
  sockgate_socket_close(&made);
  CHECK(made.descriptor == -1);
  sockgate_socket_close(&made);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void it_begins_to_connect(void) {
  uint16_t port;
  struct pollfd ready;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  listen_on_loopback(&port);
  CHECK_CODE(SOCKGATE_OK, connect_to(client, "127.0.0.1", port, SOCKGATE_IN_PROGRESS), error);
  CHECK((made.flags & ~SOCKGATE_STARTED) == 0); /* on loopback it may stand already */
  ready.fd = made.descriptor;
  ready.events = POLLOUT;
  CHECK(poll(&ready, 1, 5000) == 1 && ready.revents == POLLOUT);
  sockgate_socket_close(&made);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void tracked_sockets_say_so(void) {
  uint16_t port;
  sockgate_broker* broker = start_broker(
      "version = 1\n[roles.test]\ntrack = true\nallow = [ { cidr = \"127.0.0.0/8\", ports = \"*\" "
      "} ]\n");
  sockgate_client* client = make_client(broker);
  const int listener = listen_on_loopback(&port);
  int peer;
  char byte;
  CHECK_CODE(SOCKGATE_OK, connect_to(client, "127.0.0.1", port, SOCKGATE_CONNECTED), error);
  CHECK(made.flags == SOCKGATE_TRACKED);
  peer = accept(listener, NULL, NULL);
  sockgate_socket_close(&made);
  CHECK(read(peer, &byte, 1) == 0); /* the end has come through, past the broker's duplicate */
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void the_policy_denies(void) {
  sockgate_broker* broker = start_broker(
      "version = 1\n[roles.test]\nallow = [ { cidr = \"127.0.0.0/8\", ports = \"*\" } ]\n"
      "deny = [ { cidr = \"127.0.0.2/32\" } ]\n");
  sockgate_client* client = make_client(broker);
  CHECK_CODE(SOCKGATE_DENIED, connect_to(client, "127.0.0.2", 80, SOCKGATE_CONNECTED), error);
  CHECK(error.rule == 2 && error.error_number == EACCES && error.retry_after_ms == 0);
  CHECK(strcmp(error.reason, "deny-rule") == 0);
  CHECK(strcmp(error.text, "denied by rule 2 (deny-rule)") == 0);
  CHECK(made.descriptor == -1);
  CHECK_CODE(SOCKGATE_DENIED, connect_to(client, "192.0.2.1", 80, SOCKGATE_CONNECTED), error);
  CHECK(error.rule == 0);
  CHECK(sockgate_connect_ip(client, "192.0.2.1", 80, SOCKGATE_CONNECTED, 1, &made, NULL) ==
        SOCKGATE_DENIED);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void what_fails_is_told_apart(void) {
  struct sockaddr_storage other;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  CHECK_CODE(SOCKGATE_NETWORK, connect_to(client, "127.0.0.1", refusing_port(), SOCKGATE_CONNECTED),
             error);
  CHECK(error.error_number == ECONNREFUSED);
  CHECK_CODE(SOCKGATE_BAD_REQUEST, connect_to(client, "127.0.0.1", 0, SOCKGATE_CONNECTED), error);
  CHECK(strcmp(error.reason, "port-zero") == 0);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, connect_to(client, "localhost", 80, SOCKGATE_CONNECTED), error);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, connect_to(client, "127.0.0.1", 80, 3), error);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT,
             sockgate_connect_ip(client, "127.0.0.1", 80, SOCKGATE_CONNECTED, 0, &made, &error),
             error);
  memset(&other, 0, sizeof(other));
  other.ss_family = AF_PACKET;
  CHECK_CODE(SOCKGATE_UNSUPPORTED,
             sockgate_connect(client, (struct sockaddr*)&other, sizeof(other), SOCK_STREAM,
                              SOCKGATE_CONNECTED, 1000, &made, &error),
             error);
  other.ss_family = AF_INET;
  CHECK_CODE(SOCKGATE_UNSUPPORTED,
             sockgate_connect(client, (struct sockaddr*)&other, sizeof(struct sockaddr_in),
                              SOCK_RAW, SOCKGATE_CONNECTED, 1000, &made, &error),
             error);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void a_limit_says_when_to_ask_again(void) {
  uint16_t port;
  sockgate_broker* broker = start_broker(
      "version = 1\n[roles.test]\nallow = [ { cidr = \"127.0.0.0/8\", ports = \"*\" } ]\n"
      "[roles.test.limits]\nconnects_per_second = 1\nconnect_burst = 1\n");
  sockgate_client* client = make_client(broker);
  listen_on_loopback(&port);
  CHECK_CODE(SOCKGATE_OK, connect_to(client, "127.0.0.1", port, SOCKGATE_CONNECTED), error);
  CHECK_CODE(SOCKGATE_LIMITED, connect_to(client, "127.0.0.1", port, SOCKGATE_CONNECTED), error);
  CHECK(error.retry_after_ms > 0 && strcmp(error.reason, "too-many-per-second") == 0);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void names_resolve(void) {
  struct sockaddr_storage storage;
  struct sockaddr_in address;
  socklen_t length = 0;
  sockgate_addresses* found = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  CHECK(sockgate_client_resolves(client) == 1);
  CHECK_CODE(SOCKGATE_OK, sockgate_resolve(client, "localhost", AF_INET, &found, &error), error);
  CHECK(sockgate_addresses_count(found) == 1);
  CHECK(strcmp(sockgate_addresses_text(found, 0), "127.0.0.1") == 0);
  CHECK(sockgate_addresses_text(found, 1) == NULL);
  CHECK(sockgate_addresses_get(found, 0, 8080, &storage, &length) == SOCKGATE_OK);
  memcpy(&address, &storage, sizeof(address));
  CHECK(length == sizeof(address) && address.sin_family == AF_INET);
  CHECK(ntohl(address.sin_addr.s_addr) == INADDR_LOOPBACK && ntohs(address.sin_port) == 8080);
  CHECK(sockgate_addresses_get(found, 1, 8080, &storage, &length) == SOCKGATE_BAD_ARGUMENT);
  CHECK(sockgate_addresses_canonical_name(found) != NULL);
  CHECK(sockgate_addresses_ttl(found) <= 604800);
  sockgate_addresses_free(found);
  CHECK_CODE(SOCKGATE_DENIED, sockgate_resolve(client, "x.example", AF_UNSPEC, &found, &error),
             error);
  CHECK_CODE(SOCKGATE_LOOKUP,
             sockgate_resolve(client, "nowhere.example", AF_UNSPEC, &found, &error), error);
  CHECK(error.error_number == EAGAIN);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_resolve(client, "localhost", 99, &found, &error),
             error);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

/* A broker that greets (PROTOCOL.md), grants these capabilities, and then says `reply`; nothing if
 * it is empty. */
static sockgate_client* client_of_fake(unsigned char capabilities, const char* reply) {
  int ends[2];
  sockgate_client* client = NULL;
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
  if (fork() == 0) {
    unsigned char packet[1024];
    unsigned char hello[16] = {0x81, 0, 0, 0, 1, 0, 0, 0, 1, 0, 16, 0, 0, 0, 0, 0};
    hello[12] = capabilities;
    close(ends[0]);
    CHECK(recv(ends[1], packet, sizeof(packet), 0) == 20);
    CHECK(send(ends[1], hello, sizeof(hello), 0) == sizeof(hello));
    while (recv(ends[1], packet, sizeof(packet), 0) > 0) {
      if (reply[0] != '\0') send(ends[1], reply, strlen(reply), MSG_NOSIGNAL);
    }
    _exit(0);
  }
  close(ends[1]);
  CHECK_CODE(SOCKGATE_OK, sockgate_client_from_descriptor(ends[0], -1, &client, &error), error);
  return client;
}

static void a_broker_without_names(void) {
  sockgate_addresses* found = NULL;
  sockgate_client* client = client_of_fake(0, "");
  CHECK(sockgate_client_resolves(client) == 0);
  CHECK_CODE(SOCKGATE_NO_RESOLVER, sockgate_resolve(client, "a.example", AF_INET, &found, &error),
             error);
  sockgate_client_free(client);
}

static void a_broker_that_talks_nonsense(void) {
  sockgate_client* client = client_of_fake(1, "nonsense");
  CHECK_CODE(SOCKGATE_BAD_REPLY, connect_to(client, "192.0.2.1", 80, SOCKGATE_CONNECTED), error);
  sockgate_client_free(client);
}

static void a_broker_that_says_nothing(void) {
  sockgate_client* client = client_of_fake(1, "");
  CHECK_CODE(SOCKGATE_NO_ANSWER,
             sockgate_connect_ip(client, "192.0.2.1", 80, SOCKGATE_CONNECTED, 1, &made, &error),
             error);
  sockgate_client_free(client);
}

static void a_broker_that_has_gone(void) {
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  sockgate_broker_free(broker);
  CHECK_CODE(SOCKGATE_BROKER_GONE, connect_to(client, "127.0.0.1", 80, SOCKGATE_CONNECTED), error);
  sockgate_client_free(client);
}

static void a_child_of_fork_cannot_use_it(void) {
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  int status;
  const pid_t child = fork();
  if (child == 0) {
    sockgate_addresses* found = NULL;
    CHECK_CODE(SOCKGATE_BROKER_GONE, connect_to(client, "127.0.0.1", 80, SOCKGATE_CONNECTED),
               error);
    CHECK_CODE(SOCKGATE_BROKER_GONE, sockgate_resolve(client, "localhost", AF_INET, &found, &error),
               error);
    sockgate_client_free(client);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK_CODE(SOCKGATE_DENIED, connect_to(client, "192.0.2.1", 80, SOCKGATE_CONNECTED), error);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void no_descriptor_is_left(void) {
  uint16_t port;
  struct rlimit limit;
  int next;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  sockgate_client* client = make_client(broker);
  listen_on_loopback(&port);
  next = dup(0);
  CHECK(next >= 0 && close(next) == 0);
  limit.rlim_cur = limit.rlim_max = (rlim_t)next;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK_CODE(SOCKGATE_TABLE_FULL, connect_to(client, "127.0.0.1", port, SOCKGATE_CONNECTED), error);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
}

static void nobody_is_there(void) {
  sockgate_client* client = NULL;
  int ends[2];
  CHECK_CODE(SOCKGATE_UNAVAILABLE, sockgate_client_from_path("/nowhere/x", &client, &error), error);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_client_from_path("", &client, &error), error);
  CHECK_CODE(SOCKGATE_BAD_STATE, sockgate_client_from_environment(&client, &error), error);
  CHECK(pipe(ends) == 0);
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT,
             sockgate_client_from_descriptor(ends[0], ends[1], &client, &error), error);
  CHECK(fcntl(ends[0], F_GETFD) == -1 && fcntl(ends[1], F_GETFD) == -1); /* both were taken */
  CHECK(client == NULL);
}

static void no_memory_is_left(void) {
  static const size_t kSize = 16 << 20;
  sockgate_client* client = NULL;
  struct rlimit none;
  char* const path =
      mmap(NULL, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(path != MAP_FAILED);
  memset(path, 'x', kSize - 1);
  none.rlim_cur = none.rlim_max = 1 << 20;
  CHECK(setrlimit(RLIMIT_AS, &none) == 0);
  CHECK_CODE(SOCKGATE_NO_MEMORY, sockgate_client_from_path(path, &client, &error), error);
}

const test_case kClientCases[] = {{"ItConnects", it_connects},
                                  {"ItBeginsToConnect", it_begins_to_connect},
                                  {"TrackedSocketsSaySo", tracked_sockets_say_so},
                                  {"ThePolicyDenies", the_policy_denies},
                                  {"WhatFailsIsToldApart", what_fails_is_told_apart},
                                  {"ALimitSaysWhenToAskAgain", a_limit_says_when_to_ask_again},
                                  {"NamesResolve", names_resolve},
                                  {"ABrokerWithoutNames", a_broker_without_names},
                                  {"ABrokerThatTalksNonsense", a_broker_that_talks_nonsense},
                                  {"ABrokerThatSaysNothing", a_broker_that_says_nothing},
                                  {"ABrokerThatHasGone", a_broker_that_has_gone},
                                  {"AChildOfForkCannotUseIt", a_child_of_fork_cannot_use_it},
                                  {"NoDescriptorIsLeft", no_descriptor_is_left},
                                  {"NobodyIsThere", nobody_is_there},
                                  {"NoMemoryIsLeft", no_memory_is_left},
                                  {NULL, NULL}};
