/* The C API from C: each function, each error code. Without an argument lists the cases, with one
 * runs it. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/library/cases.h"

sockgate_broker* start_broker(const char* policy) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = NULL;
  CHECK_CODE(SOCKGATE_OK, sockgate_broker_start(policy, -1, &broker, &error), error);
  return broker;
}

sockgate_client* make_client(sockgate_broker* broker) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_client* client = NULL;
  int channel = -1;
  CHECK_CODE(SOCKGATE_OK, sockgate_broker_add_worker(broker, "test", &channel, &error), error);
  CHECK_CODE(SOCKGATE_OK, sockgate_client_from_descriptor(channel, -1, &client, &error), error);
  return client;
}

static int bind_to_loopback(uint16_t* port) {
  struct sockaddr_in address;
  socklen_t length = sizeof(address);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  memset(&address, 0, sizeof(address));
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(fd, (struct sockaddr*)&address, sizeof(address)) == 0);
  CHECK(getsockname(fd, (struct sockaddr*)&address, &length) == 0);
  *port = ntohs(address.sin_port);
  return fd;
}

int listen_on_loopback(uint16_t* port) {
  const int fd = bind_to_loopback(port);
  CHECK(listen(fd, 16) == 0);
  return fd;
}

/* Bound and not listening: it stays reserved. */
uint16_t refusing_port(void) {
  uint16_t port;
  bind_to_loopback(&port);
  return port;
}

uint16_t serve_http(void) {
  static const char kReply[] = "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello\n";
  uint16_t port;
  const int listener = listen_on_loopback(&port);
  const pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid > 0) {
    close(listener);
    return port;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) {
    char request[4096];
    const int fd = accept(listener, NULL, NULL);
    if (read(fd, request, sizeof(request)) > 0) {
      if (write(fd, kReply, sizeof(kReply) - 1) < 0) _exit(1);
    }
    close(fd);
  }
}

/* The program that sockgate_worker_exec() starts: exits with the code of a denied connect. */
static int run_as_worker(void) {
  sockgate_client* client = NULL;
  sockgate_socket made = SOCKGATE_SOCKET_INIT;
  if (sockgate_client_from_environment(&client, NULL) != SOCKGATE_OK) return 101;
  if (sockgate_confine(NULL, NULL, NULL) != SOCKGATE_OK) return 102;
  return sockgate_connect_ip(client, "192.0.2.1", 80, SOCKGATE_CONNECTED, 1000, &made, NULL);
}

int main(int argc, char** argv) {
  const test_case* const groups[] = {kArgumentCases, kBrokerCases, kClientCases, kCurlCases,
                                     kWorkerCases};
  size_t i;
  if (argc > 1 && strcmp(argv[1], "--worker") == 0) return run_as_worker();
  for (i = 0; i < sizeof(groups) / sizeof(groups[0]); ++i) {
    const test_case* next;
    for (next = groups[i]; next->name != NULL; ++next) {
      if (argc == 1) puts(next->name);
      if (argc > 1 && strcmp(argv[1], next->name) == 0) {
        next->run();
        return 0;
      }
    }
  }
  return argc == 1 ? 0 : 2;
}
