/* What the cases of the C program share. A case that fails says where and ends the program. */
#ifndef SOCKGATE_TESTS_LIBRARY_CASES_H_
#define SOCKGATE_TESTS_LIBRARY_CASES_H_

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library/sockgate.h"

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

#define CHECK_CODE(expected, call, error)                                             \
  do {                                                                                \
    const int code_ = (call);                                                         \
    if (code_ != (expected) || (error).code != (expected)) {                          \
      fprintf(stderr, "%s:%d: %s: %s, not %s: %s\n", __FILE__, __LINE__, #call,       \
              sockgate_code_name(code_), sockgate_code_name(expected), (error).text); \
      exit(1);                                                                        \
    }                                                                                 \
  } while (0)

typedef struct {
  const char* name;
  void (*run)(void);
} test_case;

/* Each ends with a null name. */
extern const test_case kArgumentCases[];
extern const test_case kBrokerCases[];
extern const test_case kClientCases[];
extern const test_case kCurlCases[];
extern const test_case kWorkerCases[];

/* Allows what the cases connect to: loopback, and the names below localhost. */
#define LOOPBACK_POLICY                                                            \
  "version = 1\n"                                                                  \
  "[roles.test]\n"                                                                 \
  "allow = [ { cidr = \"127.0.0.0/8\", ports = \"*\" }, { host = [\"localhost\", " \
  "\"nowhere.example\"], ports = \"*\", "                                          \
  "private = true } ]\n"                                                           \
  "[resolver]\nservers = [\"127.0.0.1:1\"]\ntries = 1\n"

sockgate_broker* start_broker(const char* policy);
sockgate_client* make_client(sockgate_broker* broker);

/* A listening socket, and its port. */
int listen_on_loopback(uint16_t* port);
/* A port of loopback where nobody listens. */
uint16_t refusing_port(void);

/* A child that sends `reply` to each connection. Ends with the program. */
uint16_t serve_http(void);

#endif
