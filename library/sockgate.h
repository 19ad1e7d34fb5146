/* sockgate.h: sockgate for C, and for every language that can call C.
 *
 *   cc -std=c99 fetch.c $(pkg-config --cflags --libs sockgate libcurl) -o fetch
 *
 * The same four parts as in C++, whose headers say more about each:
 *   broker   a process that may open sockets, and does so by a policy
 *   worker   a confined process, which asks it
 *   client   the worker's hold on the broker: names, sockets
 *   curl     makes libcurl take its sockets from there
 *
 * Rules for all of it:
 *   Errors. What can fail returns a code, 0 for success. Where `error` is not null, it is told the
 *     rest: see sockgate_error. A failure leaves results as they were unless it says otherwise. No
 *     C++ exception leaves the library; the unwinding of pthread_cancel(3) does. Cancel only threads
 *     that wait in one of the functions: reached by it in a _free, the program ends.
 *   Handles are opaque. A null one is SOCKGATE_BAD_ARGUMENT, or, for functions without a result,
 *     nothing happens; so a handle may be freed twice if it was set to null.
 *   Strings are UTF-8 or ASCII, end with NUL and stay the caller's.
 *   Descriptors that a function returns are close-on-exec and the caller's.
 *   Threads and fork(2): each part says.
 *
 * ABI. What is exported has a version (SOCKGATE_0), and neither changes its meaning nor goes within
 * libsockgate.so.0. Numbers are fixed. Structs only grow, at the end: each begins with its size as
 * the caller knows it, which its _INIT macro sets. Of a longer one the library fills in what it
 * knows; where it is to read more than it knows, and that is not zero, it is SOCKGATE_BAD_ARGUMENT.
 *
 * The shared library also defines getaddrinfo(), freeaddrinfo(), connect() and socket(), which are
 * libc's until sockgate_names_arm(); of the archive a program gets them if it calls that.
 */
#ifndef SOCKGATE_SOCKGATE_H_
#define SOCKGATE_SOCKGATE_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* NOLINTBEGIN(modernize-use-using): this is C. */
#ifdef __cplusplus
extern "C" {
#endif

#define SOCKGATE_VERSION "0.1.0"

/* That of the library, which may be newer than this header's. */
const char* sockgate_version(void);

/* ---- Errors ----------------------------------------------------------------------------------
 * Process: any. Ownership: all memory is the caller's. Threads: one error is for one call at a time.
 * Hostile inputs: `text` may name what a URL named, with a question mark for each control character;
 * it is for people and may change. Programs go by the numbers.
 */
enum {
  SOCKGATE_OK = 0,
  /* What the broker's side said. */
  SOCKGATE_DENIED = 1,       /* the policy refuses: `rule`, `reason`; errno is EACCES */
  SOCKGATE_NETWORK = 2,      /* the policy allows, the network does not: `error_number` */
  SOCKGATE_LIMITED = 3,      /* over a limit: `reason`; again after `retry_after_ms` */
  SOCKGATE_BAD_REQUEST = 4,  /* it asks for what cannot be: `reason` */
  SOCKGATE_LOOKUP = 5,       /* the policy allows the name, it has no address: `error_number` */
  SOCKGATE_NO_RESOLVER = 6,  /* this broker resolves no names */
  SOCKGATE_UNSUPPORTED = 7,  /* neither TCP, UDP nor UNIX */
  SOCKGATE_TABLE_FULL = 8,   /* this process has no descriptor left */
  SOCKGATE_NO_ANSWER = 9,    /* the broker did not answer in time */
  SOCKGATE_BROKER_GONE = 10, /* it has ended or closed the channel, or this is a child of fork(2) */
  SOCKGATE_BAD_REPLY = 11,   /* what came back is not sockgate's protocol */
  /* What this side found. */
  SOCKGATE_BAD_ARGUMENT = 32, /* null, out of range, a struct's size, a text that means nothing */
  SOCKGATE_BAD_STATE = 33,    /* not now, or not in this process: `text` says what to do first */
  SOCKGATE_UNAVAILABLE = 34,  /* nobody listens there, or this kernel lacks what is required */
  SOCKGATE_BAD_POLICY = 35,   /* the first error of the policy: `text` begins "NAME:LINE:COLUMN:" */
  SOCKGATE_NO_MEMORY = 36,
  SOCKGATE_SYSTEM = 37,  /* the system refuses: `text` */
  SOCKGATE_TRANSFER = 38 /* of sockgate_curl_explain(): libcurl's own failure, not the broker's */
};

typedef struct sockgate_error {
  size_t size;
  int code;
  int error_number;        /* an errno; 0: there is none */
  uint32_t rule;           /* the policy's number of the deciding rule; 0: the default, or none */
  uint32_t retry_after_ms; /* of a limit; or when a broker that has gone is looked for again */
  char reason[32];         /* "no-rule-matches", "special-purpose-address", ...; or empty */
  char text[512];          /* one line; a longer one is cut */
} sockgate_error;

#define SOCKGATE_ERROR_INIT \
  { sizeof(sockgate_error), 0, 0, 0, 0, "", "" }

/* "denied", "broker-gone", ...; "unknown" for a number that is none of the above. */
const char* sockgate_code_name(int code);

/* ---- Client: asks the broker -----------------------------------------------------------------
 * Process: worker. Make it before confinement where you can.
 * Ownership: the client owns its channels. It must outlive what is made of it.
 * Threads: all functions from any thread, but for _free. Blocking: until the broker answers; in
 * in-progress mode for one local round trip. A client made by a path finds a broker that was started
 * anew. fork(2): in a child every call is SOCKGATE_BROKER_GONE; free it there or leave it.
 * Hostile inputs: names and addresses may be anybody's.
 * Errors of the three that make one: SOCKGATE_UNAVAILABLE where nobody listens, SOCKGATE_BAD_STATE
 * where the environment has no channel or this process may make no socket.
 * See client/broker_client.h.
 */
typedef struct sockgate_client sockgate_client;

/* By the path that a broker listens on. */
int sockgate_client_from_path(const char* path, sockgate_client** client, sockgate_error* error);

/* By the worker's end of a channel, which is the client's in any outcome. `source` is the worker's
 * end of a launcher's channel source, likewise, or -1. */
int sockgate_client_from_descriptor(int channel, int source, sockgate_client** client,
                                    sockgate_error* error);

/* By SOCKGATE_CHANNEL and SOCKGATE_CHANNEL_SOURCE, as sockgate_worker_exec() leaves them. */
int sockgate_client_from_environment(sockgate_client** client, sockgate_error* error);

void sockgate_client_free(sockgate_client* client);

/* 1 if the broker resolves names, else 0. */
int sockgate_client_resolves(const sockgate_client* client);

enum {
  SOCKGATE_CONNECTED = 1,  /* wait until the connection stands */
  SOCKGATE_IN_PROGRESS = 2 /* begin, and let the caller wait until the socket is writable */
};

enum {
  SOCKGATE_STARTED = 1, /* the handshake may still go on */
  SOCKGATE_TRACKED = 2  /* the broker holds a duplicate: shutdown(2) before close(2) */
};

typedef struct sockgate_socket {
  size_t size;
  int descriptor; /* non-blocking; -1: none */
  int flags;
  uint32_t rule; /* that allowed it */
} sockgate_socket;

#define SOCKGATE_SOCKET_INIT \
  { sizeof(sockgate_socket), -1, 0, 0 }

/* `type` is SOCK_STREAM or SOCK_DGRAM, `mode` one of the two above. `deadline_ms` is for the
 * handshake, 1 to 150000. A name's address is judged by the name for as long as the broker remembers
 * that this worker looked it up. */
int sockgate_connect(sockgate_client* client, const struct sockaddr* address, socklen_t length,
                     int type, int mode, uint32_t deadline_ms, sockgate_socket* socket,
                     sockgate_error* error);

/* The same by TCP for "192.0.2.1" or "2001:db8::1", for callers to whom a sockaddr is a burden. */
int sockgate_connect_ip(sockgate_client* client, const char* ip, uint16_t port, int mode,
                        uint32_t deadline_ms, sockgate_socket* socket, sockgate_error* error);

/* Shuts it down where that is needed, closes it, and leaves -1. */
void sockgate_socket_close(sockgate_socket* socket);

typedef struct sockgate_addresses sockgate_addresses;

/* The broker judges the name before a query leaves the machine. `family` is AF_UNSPEC, AF_INET or
 * AF_INET6. Blocks for 30 s at most, and as long where the role has no more lookups for now. */
int sockgate_resolve(sockgate_client* client, const char* name, int family,
                     sockgate_addresses** addresses, sockgate_error* error);

/* Their number; IPv6 come first. What the others return lasts until sockgate_addresses_free(). */
size_t sockgate_addresses_count(const sockgate_addresses* addresses);
/* "192.0.2.1"; null beyond the last. */
const char* sockgate_addresses_text(const sockgate_addresses* addresses, size_t index);
int sockgate_addresses_get(const sockgate_addresses* addresses, size_t index, uint16_t port,
                           struct sockaddr_storage* address, socklen_t* length);
uint32_t sockgate_addresses_ttl(const sockgate_addresses* addresses);
/* Empty when the resolver gave none. */
const char* sockgate_addresses_canonical_name(const sockgate_addresses* addresses);
void sockgate_addresses_free(sockgate_addresses* addresses);

/* ---- Names: what other libraries look up -------------------------------------------------------
 * Process: worker, before confinement. Armed, getaddrinfo() of the whole process asks the broker,
 * connect() is answered for sockets that came from it, and socket() for libcurl's IPv6 probe.
 * Linking: it works where the library was there when the program started: linked with -lsockgate,
 * from the archive, or by LD_PRELOAD. In one that dlopen(3) loads (Python's ctypes) arming is
 * SOCKGATE_BAD_STATE: libc's definitions come first there. Then confine the process, whose filter
 * answers connect(), and give libcurl the addresses by CURLOPT_RESOLVE.
 * Ownership: the client is the caller's and must outlive sockgate_names_disarm().
 * Threads: any. fork(2): a child stays armed, and its lookups fail.
 * See client/name_shim.h.
 */
int sockgate_names_arm(sockgate_client* client, sockgate_error* error);

/* Waits for lookups in progress. */
void sockgate_names_disarm(void);

/* The next connect(2) of `descriptor` to this address is answered as `flags` has it (success, or
 * EINPROGRESS with SOCKGATE_STARTED) and does not reach the kernel. For programs that give libcurl a
 * socket themselves, which libcurl then connects; not for handles with sockgate_curl_attach().
 * SOCKGATE_BAD_STATE: not armed. */
int sockgate_names_expect_connect(int descriptor, const struct sockaddr* address, socklen_t length,
                                  int flags, sockgate_error* error);

/* ---- curl: libcurl's sockets from the broker ---------------------------------------------------
 * Process: worker.
 * Ownership: a sockgate_curl must outlive every handle attached to it, and every multi or share
 * handle with connections of theirs; the client must outlive it.
 * Threads: any, for different handles at the same time; for one handle only while no other thread
 * performs its transfer. Blocking: in connected mode a transfer waits in its callback until the
 * connection stands; so with curl_multi use the other one.
 * `easy` is a CURL*, of the libcurl that this library is linked with (`ldd libsockgate.so.0`:
 * libcurl.so.4). A handle of another one, such as libcurl-gnutls.so.4, must not be given here.
 * See client/curl_adapter.h, which says which options a transfer loses.
 */
typedef struct sockgate_curl sockgate_curl;

/* `connect_deadline_ms` is how long the broker may spend on one handshake. */
int sockgate_curl_new(sockgate_client* client, int mode, uint32_t connect_deadline_ms,
                      sockgate_curl** curl, sockgate_error* error);
void sockgate_curl_free(sockgate_curl* curl);

/* After each curl_easy_reset() anew. SOCKGATE_BAD_STATE: connect(2) would have to be answered here,
 * and neither names are armed nor is the process confined. */
int sockgate_curl_attach(sockgate_curl* curl, void* easy, sockgate_error* error);
/* Before curl_easy_cleanup(). */
void sockgate_curl_detach(sockgate_curl* curl, void* easy);

/* Looks the URL's host up in this thread, for the handle's next transfer: for where names are not
 * armed. SOCKGATE_BAD_REQUEST: the handle is not attached. */
int sockgate_curl_resolve_ahead(sockgate_curl* curl, void* easy, const char* url,
                                sockgate_error* error);

/* Asks the broker for what the transfer of this URL will need: a name's addresses and a socket. Waits
 * for neither; the first call may wait for one local round trip. With a null `easy` they are for
 * whichever transfer comes first. What goes wrong ahead of need is forgotten, and asked for again when
 * it is needed. Costs a connection where libcurl then needs none: the next call on this client, of any
 * kind, closes it when it is four seconds old. See CurlAdapter::Prepare(). */
int sockgate_curl_prepare(sockgate_curl* curl, void* easy, const char* url, sockgate_error* error);
/* Has `count` sockets kept ready for a host, as in a URL, and a port; a client keeps 128 at most.
 * `ready`, which may be null, is told how many are there or under way. Call it again when they are
 * used, or old. */
int sockgate_curl_preconnect(sockgate_curl* curl, const char* host, uint16_t port, size_t count,
                             size_t* ready, sockgate_error* error);

/* Why the transfer ended with this CURLcode. Returns and tells the code of what the broker's side
 * said last, if that is why, and else SOCKGATE_TRANSFER; SOCKGATE_OK for CURLE_OK. */
int sockgate_curl_explain(sockgate_curl* curl, void* easy, int curl_code, sockgate_error* error);

/* The certificates that transfers trust, read before confinement and shared by all of them.
 * `file` is in PEM; null: the one that libcurl was built to use. It must outlive the handles that
 * it is attached to, and connections of theirs. See client/launch/trust_store.h. */
typedef struct sockgate_trust sockgate_trust;
int sockgate_trust_load(const char* file, sockgate_trust** trust, sockgate_error* error);
int sockgate_trust_attach(const sockgate_trust* trust, void* easy, sockgate_error* error);
void sockgate_trust_free(sockgate_trust* trust);

/* ---- Confinement of the calling process --------------------------------------------------------
 * Process: worker, before it reads the first hostile byte. There is no way back.
 * Threads: call it while there is one only; Landlock reaches no other.
 * Errors: closed. After a failure some layers may be in force: end the process. SOCKGATE_UNAVAILABLE
 * or SOCKGATE_BAD_STATE: Landlock is required and cannot be had. SOCKGATE_BAD_ARGUMENT names the
 * call or the path that cannot be.
 * See client/launch/confine.h, sandbox_profile.h and profile_builder.h.
 */
enum {
  SOCKGATE_IF_POSSIBLE = 0, /* what is in force says whether it was */
  SOCKGATE_REQUIRED = 1
};

enum {
  SOCKGATE_PROFILE_FETCHER = 0,    /* what is not listed kills the process */
  SOCKGATE_PROFILE_FETCHER_LOG = 1 /* is logged by the kernel and happens: confines nobody */
};

typedef struct sockgate_confinement {
  size_t size;
  int profile;
  int landlock; /* is required in any case where there are files */
  /* Lists that end with null, or null. Folders and files that may be opened afterwards: */
  const char* const* read;
  const char* const* read_write;
  /* System calls that may be made beside libcurl's: "dup", "epoll_wait". Harmless ones only. */
  const char* const* calls;
} sockgate_confinement;

#define SOCKGATE_CONFINEMENT_INIT \
  { sizeof(sockgate_confinement), SOCKGATE_PROFILE_FETCHER, SOCKGATE_IF_POSSIBLE, NULL, NULL, NULL }

/* The layers that hold, as they were found and not as they were asked for. */
typedef struct sockgate_in_force {
  size_t size;
  int landlock_abi; /* 0: no Landlock */
  int undumpable;   /* nobody of the same user may look into its memory */
  char profile[32]; /* of the seccomp filter; empty: it ended before it had one */
  char text[256];   /* all of it in one line */
} sockgate_in_force;

#define SOCKGATE_IN_FORCE_INIT \
  { sizeof(sockgate_in_force), 0, 0, "", "" }

/* Null for `wanted` is what _INIT has; `in_force` may be null. */
int sockgate_confine(const sockgate_confinement* wanted, sockgate_in_force* in_force,
                     sockgate_error* error);

/* ---- Worker: a confined child --------------------------------------------------------------------
 * Process: its launcher. It keeps none of the launcher's descriptors but 1, 2, the channel and those
 * in `keep`.
 * Ownership: freeing a worker kills and reaps it; in a child of fork(2) nothing happens. `channel` is
 * the worker's in any outcome.
 * Threads: one worker is for one thread at a time. _start needs a process with one thread, _exec
 * does not. Both block until the child is confined or has failed.
 * Errors: SOCKGATE_BAD_STATE where there are threads, or Landlock is required and missing. No worker
 * runs half confined.
 * See client/launch/worker.h.
 */
typedef struct sockgate_worker sockgate_worker;

/* The result is the exit status; `prepare`'s ends the worker if it is not 0. */
typedef int (*sockgate_work)(int channel, void* context);

enum {
  SOCKGATE_NAMESPACE_NETWORK = 1,
  SOCKGATE_NAMESPACE_MOUNT = 2,
  SOCKGATE_NAMESPACE_PID = 4,
  SOCKGATE_NAMESPACE_IPC = 8
};

typedef struct sockgate_worker_options {
  size_t size;
  const sockgate_confinement* confinement; /* null: what its _INIT has */
  int namespaces;                          /* if possible */
  int required_namespaces;
  const int* keep; /* descriptors */
  size_t keep_count;
} sockgate_worker_options;

#define SOCKGATE_WORKER_OPTIONS_INIT \
  { sizeof(sockgate_worker_options), NULL, 0, 0, NULL, 0 }

/* `prepare` does what will be forbidden later, such as curl_global_init() and loading
 * certificates, and may be null; `run` is confined. */
int sockgate_worker_start(int channel, const sockgate_worker_options* options,
                          sockgate_work prepare, sockgate_work run, void* context,
                          sockgate_worker** worker, sockgate_error* error);

/* Executes argv[0], a path. It finds its channel by sockgate_client_from_environment(), and should
 * call sockgate_confine() before it reads what is hostile. */
int sockgate_worker_exec(int channel, const sockgate_worker_options* options,
                         const char* const* argv, sockgate_worker** worker, sockgate_error* error);

int sockgate_worker_pid(const sockgate_worker* worker); /* -1 for null */
/* What the launcher put on it. */
int sockgate_worker_in_force(const sockgate_worker* worker, sockgate_in_force* in_force,
                             sockgate_error* error);
/* `status` is the exit status, or minus the signal that ended it. */
int sockgate_worker_wait(sockgate_worker* worker, int* status, sockgate_error* error);
void sockgate_worker_kill(sockgate_worker* worker);
void sockgate_worker_free(sockgate_worker* worker);

/* ---- Broker: a process of its own, which ends with the caller ------------------------------------
 * Process: the launcher, before it starts workers. The broker is a child, and confines itself by
 * what this kernel has before it hears the first worker.
 * Ownership: freeing a broker ends it; in a child of fork(2) it only forgets it. Sockets that
 * workers have are theirs.
 * Threads: starting needs a process with one thread (SOCKGATE_BAD_STATE); the rest one thread at a
 * time. Blocking: freeing waits for the child, three seconds at most.
 * Hostile inputs: none; the policy is trusted but checked.
 * Errors: SOCKGATE_BAD_POLICY with line and column. A policy with [[listen]] is one: who embeds a
 * broker gives workers their channels. A broker that cannot go on says why on standard error; its
 * workers' calls are SOCKGATE_BROKER_GONE.
 * See broker/broker_process.h and broker/policy/POLICY.md.
 */
typedef struct sockgate_broker sockgate_broker;

/* `audit` is a descriptor for the audit log, which stays the caller's; -1: none. */
int sockgate_broker_start(const char* policy, int audit, sockgate_broker** broker,
                          sockgate_error* error);
int sockgate_broker_start_file(const char* path, int audit, sockgate_broker** broker,
                               sockgate_error* error);

/* The worker's end of a new worker's channel. A role that the policy does not have is
 * SOCKGATE_BAD_ARGUMENT. */
int sockgate_broker_add_worker(sockgate_broker* broker, const char* role, int* channel,
                               sockgate_error* error);
int sockgate_broker_pid(const sockgate_broker* broker); /* -1 for null */
void sockgate_broker_free(sockgate_broker* broker);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(modernize-use-using) */

#endif /* SOCKGATE_SOCKGATE_H_ */
