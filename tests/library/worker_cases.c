#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/library/cases.h"

static sockgate_error error = SOCKGATE_ERROR_INIT;
static sockgate_client* the_client;

static int channel_of(sockgate_broker* broker) {
  int channel = -1;
  CHECK_CODE(SOCKGATE_OK, sockgate_broker_add_worker(broker, "test", &channel, &error), error);
  return channel;
}

static int prepare(int channel, void* url) {
  if (url == NULL) return 3;
  if (sockgate_client_from_descriptor(channel, -1, &the_client, &error) != SOCKGATE_OK) return 4;
  if (sockgate_names_arm(the_client, &error) != SOCKGATE_OK) return 5;
  return (int)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static size_t ignore(char* data, size_t size, size_t count, void* context) {
  return data == context ? 0 : size * count;
}

static int fetch(int channel, void* url) {
  sockgate_curl* curl = NULL;
  CURL* const easy = curl_easy_init();
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || channel < 0) return 100;
  curl_easy_setopt(easy, CURLOPT_URL, (const char*)url);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
  if (sockgate_curl_new(the_client, SOCKGATE_CONNECTED, 5000, &curl, &error) != 0) return 101;
  if (sockgate_curl_attach(curl, easy, &error) != 0) return 102;
  return (int)curl_easy_perform(easy);
}

static int wait_for(sockgate_worker* worker) {
  int status = -1000;
  CHECK_CODE(SOCKGATE_OK, sockgate_worker_wait(worker, &status, &error), error);
  return status;
}

static void a_confined_worker_fetches(void) {
  char url[64];
  sockgate_in_force in_force = SOCKGATE_IN_FORCE_INIT;
  sockgate_worker_options options = SOCKGATE_WORKER_OPTIONS_INIT;
  sockgate_worker* worker = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  snprintf(url, sizeof(url), "http://localhost:%d/", serve_http());
  options.namespaces = SOCKGATE_NAMESPACE_NETWORK | SOCKGATE_NAMESPACE_PID;
  CHECK_CODE(
      SOCKGATE_OK,
      sockgate_worker_start(channel_of(broker), &options, prepare, fetch, url, &worker, &error),
      error);
  CHECK(sockgate_worker_pid(worker) > 0);
  CHECK_CODE(SOCKGATE_OK, sockgate_worker_in_force(worker, &in_force, &error), error);
  CHECK(strcmp(in_force.profile, "fetcher") == 0 && in_force.undumpable == 1);
  CHECK(strstr(in_force.text, "seccomp (fetcher)") != NULL);
  CHECK(wait_for(worker) == 0);
  sockgate_worker_free(worker);
  sockgate_broker_free(broker);
}

static void preparing_may_fail(void) {
  sockgate_worker* worker = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  CHECK_CODE(SOCKGATE_OK,
             sockgate_worker_start(channel_of(broker), NULL, prepare, fetch, NULL, &worker, &error),
             error);
  CHECK(wait_for(worker) == 3);
  sockgate_worker_free(worker);
  sockgate_broker_free(broker);
}

static int wait_for_ever(int channel, void* unused) {
  char byte;
  return (int)recv(channel, &byte, 1, 0) + (unused != NULL);
}

static void a_worker_is_killed(void) {
  sockgate_worker* worker = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  pid_t pid;
  CHECK_CODE(
      SOCKGATE_OK,
      sockgate_worker_start(channel_of(broker), NULL, NULL, wait_for_ever, NULL, &worker, &error),
      error);
  sockgate_worker_kill(worker);
  CHECK(wait_for(worker) == -SIGKILL);
  sockgate_worker_free(worker);
  CHECK_CODE(
      SOCKGATE_OK,
      sockgate_worker_start(channel_of(broker), NULL, NULL, wait_for_ever, NULL, &worker, &error),
      error);
  pid = sockgate_worker_pid(worker);
  if (fork() == 0) { /* whose worker it is not */
    sockgate_worker_kill(worker);
    sockgate_worker_free(worker);
    _exit(0);
  }
  wait(NULL);
  CHECK(waitpid(pid, NULL, WNOHANG) == 0); /* it runs */
  sockgate_worker_free(worker);
  CHECK(waitpid(pid, NULL, WNOHANG) == -1 && errno == ECHILD);
  sockgate_broker_free(broker);
}

static void* wait_in_a_thread(void* worker) {
  int status;
  sockgate_worker_wait(worker, &status, NULL);
  return NULL;
}

static void no_worker_starts_beside_threads_and_they_may_be_cancelled(void) {
  sockgate_worker* worker = NULL;
  sockgate_worker* second = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  pthread_t thread;
  void* result = NULL;
  CHECK_CODE(
      SOCKGATE_OK,
      sockgate_worker_start(channel_of(broker), NULL, NULL, wait_for_ever, NULL, &worker, &error),
      error);
  CHECK(pthread_create(&thread, NULL, wait_in_a_thread, worker) == 0);
  CHECK_CODE(
      SOCKGATE_BAD_STATE,
      sockgate_worker_start(channel_of(broker), NULL, NULL, wait_for_ever, NULL, &second, &error),
      error);
  CHECK(strstr(error.text, "there are 2") != NULL && second == NULL);
  CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
  CHECK(result == PTHREAD_CANCELED);
  sockgate_worker_kill(worker);
  CHECK(wait_for(worker) == -SIGKILL);
  sockgate_worker_free(worker);
  sockgate_broker_free(broker);
}

static void a_program_finds_its_channel(void) {
  const char* argv[] = {"/proc/self/exe", "--worker", NULL};
  sockgate_worker* worker = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  CHECK_CODE(SOCKGATE_OK, sockgate_worker_exec(channel_of(broker), NULL, argv, &worker, &error),
             error);
  CHECK(wait_for(worker) == SOCKGATE_DENIED);
  sockgate_worker_free(worker);
  argv[0] = "/nowhere";
  CHECK(sockgate_worker_exec(channel_of(broker), NULL, argv, &worker, &error) != SOCKGATE_OK);
  CHECK(error.text[0] != '\0');
  sockgate_broker_free(broker);
}

static int is_kept(int channel, void* descriptor) {
  return fcntl(*(int*)descriptor, F_GETFD) < 0 || channel < 0;
}

static void descriptors_are_kept_by_name_only(void) {
  int descriptor = dup(2);
  sockgate_worker_options options = SOCKGATE_WORKER_OPTIONS_INIT;
  sockgate_worker* worker = NULL;
  sockgate_broker* broker = start_broker(LOOPBACK_POLICY);
  CHECK_CODE(SOCKGATE_OK,
             sockgate_worker_start(channel_of(broker), &options, is_kept, is_kept, &descriptor,
                                   &worker, &error),
             error);
  CHECK(wait_for(worker) == 1);
  sockgate_worker_free(worker);
  options.keep = &descriptor;
  options.keep_count = 1;
  CHECK_CODE(SOCKGATE_OK,
             sockgate_worker_start(channel_of(broker), &options, is_kept, is_kept, &descriptor,
                                   &worker, &error),
             error);
  CHECK(wait_for(worker) == 0);
  sockgate_worker_free(worker);
  options.keep = NULL;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT,
             sockgate_worker_start(channel_of(broker), &options, NULL, is_kept, &descriptor,
                                   &worker, &error),
             error);
  options.keep_count = 0;
  options.namespaces = 64;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT,
             sockgate_worker_start(channel_of(broker), &options, NULL, is_kept, &descriptor,
                                   &worker, &error),
             error);
  sockgate_broker_free(broker);
}

/* In a child, of which there is no way back. */
static int status_of(int (*work)(void)) {
  int status;
  const pid_t pid = fork();
  if (pid == 0) _exit(work());
  CHECK(waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int dup_under_fetcher(void) {
  if (sockgate_confine(NULL, NULL, &error) != SOCKGATE_OK) return 1;
  return dup(1) >= 0 ? 0 : 2;
}

static int dup_when_allowed(void) {
  static const char* const kCalls[] = {"dup", NULL};
  sockgate_confinement wanted = SOCKGATE_CONFINEMENT_INIT;
  sockgate_in_force in_force = SOCKGATE_IN_FORCE_INIT;
  wanted.calls = kCalls;
  if (sockgate_confine(&wanted, &in_force, &error) != SOCKGATE_OK) return 1;
  if (strstr(in_force.text, in_force.profile) == NULL || in_force.profile[0] == '\0') return 3;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0) return 4;
  return dup(1) >= 0 ? 0 : 2;
}

static int read_one_folder(void) {
  static const char* const kRead[] = {"/etc", NULL};
  sockgate_confinement wanted = SOCKGATE_CONFINEMENT_INIT;
  sockgate_in_force in_force = SOCKGATE_IN_FORCE_INIT;
  wanted.read = kRead;
  if (sockgate_confine(&wanted, &in_force, &error) != SOCKGATE_OK) {
    return error.code == SOCKGATE_UNAVAILABLE || error.code == SOCKGATE_BAD_STATE ? 77 : 1;
  }
  if (in_force.landlock_abi == 0) return 2;
  if (open("/etc/passwd", O_RDONLY) < 0) return 3;
  return open("/proc/self/status", O_RDONLY) >= 0 || open("/etc/passwd", O_WRONLY) >= 0 ? 4 : 0;
}

static int log_only(void) {
  sockgate_confinement wanted = SOCKGATE_CONFINEMENT_INIT;
  wanted.profile = SOCKGATE_PROFILE_FETCHER_LOG;
  if (sockgate_confine(&wanted, NULL, &error) != SOCKGATE_OK) return 1;
  return dup(1) >= 0 ? 0 : 2;
}

static void it_confines_itself(void) {
  int read_status;
  CHECK(status_of(dup_under_fetcher) == -SIGSYS);
  CHECK(status_of(dup_when_allowed) == 0);
  CHECK(status_of(log_only) == 0);
  read_status = status_of(read_one_folder);
  CHECK(read_status == 0 || read_status == 77);
}

static void what_cannot_be_is_said_before_anything_is_in_force(void) {
  static const char* const kWayOut[] = {"execve", NULL};
  static const char* const kUnknown[] = {"no_such_call", NULL};
  sockgate_confinement wanted = SOCKGATE_CONFINEMENT_INIT;
  wanted.calls = kWayOut;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_confine(&wanted, NULL, &error), error);
  CHECK(strstr(error.text, "execve") != NULL);
  wanted.calls = kUnknown;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_confine(&wanted, NULL, &error), error);
  wanted.calls = NULL;
  wanted.profile = 9;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_confine(&wanted, NULL, &error), error);
  wanted.profile = SOCKGATE_PROFILE_FETCHER;
  wanted.landlock = 9;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_confine(&wanted, NULL, &error), error);
  wanted.size = 1;
  CHECK_CODE(SOCKGATE_BAD_ARGUMENT, sockgate_confine(&wanted, NULL, &error), error);
  CHECK(dup(1) >= 0);
}

const test_case kWorkerCases[] = {
    {"AConfinedWorkerFetches", a_confined_worker_fetches},
    {"PreparingMayFail", preparing_may_fail},
    {"AWorkerIsKilled", a_worker_is_killed},
    {"NoWorkerStartsBesideThreadsAndTheyMayBeCancelled",
     no_worker_starts_beside_threads_and_they_may_be_cancelled},
    {"AProgramFindsItsChannel", a_program_finds_its_channel},
    {"DescriptorsAreKeptByNameOnly", descriptors_are_kept_by_name_only},
    {"ItConfinesItself", it_confines_itself},
    {"WhatCannotBeIsSaidBeforeAnythingIsInForce",
     what_cannot_be_is_said_before_anything_is_in_force},
    {NULL, NULL}};
