// The profiles: which system calls a worker may make. profile.h says what a profile is.
//
// Process: launcher, or a process that confines itself late; read before confinement.
// Threads: none of their business.
// Hostile inputs: none.
//
// | profile       | for                                          | what is not in its list      |
// |---------------|----------------------------------------------|------------------------------|
// | fetcher       | libcurl on what it was given                 | kills the process (SIGSYS)   |
// | fetcher-log   | finding what a libcurl needs beyond that     | happens, and is logged       |
// | embed         | libcurl in a program that needs more: by     | kills the process, or what   |
// |               | ProfileBuilder (profile_builder.h)           | the program says             |
// | program       | a program until it confines itself           | EPERM                        |

#ifndef SOCKGATE_CLIENT_LAUNCH_SANDBOX_PROFILE_H_
#define SOCKGATE_CLIENT_LAUNCH_SANDBOX_PROFILE_H_

#include "confine/profile.h"

namespace sockgate::launch {

// The words of profile.h, for whoever writes a profile for a worker.
using confine::Action;
using confine::ArgCondition;
using confine::BitsClear;
using confine::Errno;
using confine::IntIs;
using confine::IntIsApartFrom;
using confine::kAllow;
using confine::kKillProcess;
using confine::kLog;
using confine::Profile;
using confine::Rule;
using confine::WordIs;

// For a process that runs libcurl, OpenSSL and glibc's threads on descriptors that it was given,
// and does nothing else: no new sockets, no files, no processes, no executable memory. connect()
// answers EINPROGRESS and does nothing, which is what libcurl needs to hear about a socket that the
// broker has connected or is connecting. What libraries try and can do without fails softly: a file
// (EACCES), a socket (EACCES), an ioctl (ENOTTY). Any other call, or one with arguments that the
// list does not have, ends the process. So does abort(3), by SIGSYS instead of SIGABRT: a filter
// cannot tell a signal to oneself from one to the broker.
//
// What it leaves open, by intent: reading, writing, polling, shutting down and querying every
// descriptor that the worker holds or is sent later. So hand over nothing that it must not
// read or write.
Profile FetcherProfile();

// The same list, but what is not in it happens, and is written to the kernel's log ("type=1326",
// with the number of the call). To find out what a newer libcurl needs; it confines nobody.
Profile FetcherLogProfile();

// For a program started by exec, which has to pass the dynamic loader, read its certificates
// and openssl.cnf, and then call Confine() (confine.h) before it reads the first hostile
// byte. The network rules are the fetcher's: nothing that is let through here opens, connects
// or binds a socket.
//
// What it does NOT stop: reading every file that the user may read, executing another program
// (under the same filter, which exec cannot remove), making memory executable, reading the system's
// clocks, limits and identities. It is a corridor, not a sandbox: a program that never tightens
// itself can read secrets and has a broker's channel to send them through.
Profile ProgramProfile();

}  // namespace sockgate::launch

#endif  // SOCKGATE_CLIENT_LAUNCH_SANDBOX_PROFILE_H_
