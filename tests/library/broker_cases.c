#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/library/cases.h"

static void a_bad_policy_is_told_with_its_place(void) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = NULL;
  CHECK_CODE(SOCKGATE_BAD_POLICY,
             sockgate_broker_start("version = 1\n[roles.test]\nalow = []\n", -1, &broker, &error),
             error);
  CHECK(strncmp(error.text, "policy:3:1: error: ", 19) == 0);
  CHECK(broker == NULL);
}

static void nobody_would_listen_on_a_path(void) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = NULL;
  CHECK_CODE(
      SOCKGATE_BAD_POLICY,
      sockgate_broker_start(LOOPBACK_POLICY "[[listen]]\npath = \"/tmp/x\"\nrole = \"test\"\n", -1,
                            &broker, &error),
      error);
  CHECK(strstr(error.text, "listens on no path") != NULL);
}

static void a_policy_comes_from_a_file(void) {
  char path[] = "/tmp/sockgate-policy-XXXXXX";
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = NULL;
  const int fd = mkstemp(path);
  CHECK(write(fd, LOOPBACK_POLICY, strlen(LOOPBACK_POLICY)) > 0);
  CHECK_CODE(SOCKGATE_OK, sockgate_broker_start_file(path, -1, &broker, &error), error);
  sockgate_broker_free(broker);
  unlink(path);
  CHECK_CODE(SOCKGATE_BAD_POLICY, sockgate_broker_start_file(path, -1, &broker, &error), error);
  CHECK(strncmp(error.text, path, strlen(path)) == 0);
}

static void the_audit_log_is_written(void) {
  char line[4096];
  int pipe_ends[2];
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_socket made = SOCKGATE_SOCKET_INIT;
  sockgate_broker* broker = NULL;
  sockgate_client* client;
  ssize_t size = 0;
  CHECK(pipe(pipe_ends) == 0);
  CHECK_CODE(SOCKGATE_OK, sockgate_broker_start(LOOPBACK_POLICY, pipe_ends[1], &broker, &error),
             error);
  CHECK(close(pipe_ends[1]) == 0); /* it was ours */
  client = make_client(broker);
  sockgate_connect_ip(client, "192.0.2.7", 80, SOCKGATE_CONNECTED, 1000, &made, NULL);
  sockgate_client_free(client);
  sockgate_broker_free(broker);
  do {
    const ssize_t part = read(pipe_ends[0], line + size, sizeof(line) - 1 - (size_t)size);
    CHECK(part >= 0);
    if (part == 0) break;
    size += part;
  } while (size < (ssize_t)sizeof(line) - 1);
  line[size] = '\0';
  CHECK(strstr(line, "192.0.2.7:80") != NULL);
}

static void a_role_that_is_not_there(void) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  int channel = -1;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_broker_add_worker(broker, "tset", &channel, &error),
             error);
  CHECK(channel == -1);
  sockgate_broker_free(broker);
}

static void no_descriptor_is_left_for_a_channel(void) {
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  const struct rlimit none = {3, 3};
  int channel = -1;
  CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
  CHECK_CODE(SOCKGATE_SYSTEM, sockgate_broker_add_worker(broker, "test", &channel, &error), error);
  CHECK(channel == -1);
  sockgate_broker_free(broker);
}

static void* wait_for_ever(void* unused) {
  pause();
  return unused;
}

static void it_starts_before_threads(void) {
  pthread_t thread;
  sockgate_error error = SOCKGATE_ERROR_INIT;
  sockgate_broker* broker = NULL;
  CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
  CHECK_CODE(SOCKGATE_BAD_STATE, sockgate_broker_start(LOOPBACK_POLICY, -1, &broker, &error),
             error);
}

static void a_child_of_fork_only_forgets_it(void) {
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  const pid_t serving = sockgate_broker_pid(broker);
  int status;
  const pid_t child = fork();
  if (child == 0) {
    sockgate_error error = SOCKGATE_ERROR_INIT;
    int channel = -1;
    CHECK_CODE(SOCKGATE_BAD_STATE, sockgate_broker_add_worker(broker, "test", &channel, &error),
               error);
    sockgate_broker_free(broker);
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(kill(serving, 0) == 0);
  sockgate_client_free(make_client(broker)); /* it serves */
  sockgate_broker_free(broker);
  CHECK(kill(serving, 0) != 0);
}

const test_case kBrokerCases[] = {
    {"ABadPolicyIsToldWithItsPlace", a_bad_policy_is_told_with_its_place},
    {"NobodyWouldListenOnAPath", nobody_would_listen_on_a_path},
    {"APolicyComesFromAFile", a_policy_comes_from_a_file},
    {"TheAuditLogIsWritten", the_audit_log_is_written},
    {"ARoleThatIsNotThere", a_role_that_is_not_there},
    {"NoDescriptorIsLeftForAChannel", no_descriptor_is_left_for_a_channel},
    {"ItStartsBeforeThreads", it_starts_before_threads},
    {"AChildOfForkOnlyForgetsIt", a_child_of_fork_only_forgets_it},
    {NULL, NULL}};
