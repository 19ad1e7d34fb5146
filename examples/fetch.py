#!/usr/bin/python3
"""Fetches a URL with pycurl in a confined worker, whose sockets come from a broker.

  ./fetch.py fetch.toml http://localhost:8000/

pycurl brings a libcurl of its own and gives nobody its handle. So the two callbacks are set here: one gives libcurl a
socket of the broker's, the other tells it to go on. connect(2), which it calls then, is answered by the worker's
filter. Names: started with LD_PRELOAD=libsockgate.so.0 all of them go through the broker; otherwise libc's lookups come
first, so the worker asks for the URL's host itself, and redirects to other hosts fail.

HTTPS: pycurl's GnuTLS opens its certificates for each connection, so the worker has to be allowed to: name their folder
in Confinement.read, which takes Landlock.
"""

import ctypes
import ipaddress
import socket
import sys
from urllib.parse import urlsplit

import pycurl

lib = ctypes.CDLL("libsockgate.so.0")
IN_PROGRESS = 2


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("code", ctypes.c_int), ("error_number", ctypes.c_int),
                ("rule", ctypes.c_uint32), ("retry_after_ms", ctypes.c_uint32),
                ("reason", ctypes.c_char * 32), ("text", ctypes.c_char * 512)]


class Socket(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("descriptor", ctypes.c_int), ("flags", ctypes.c_int),
                ("rule", ctypes.c_uint32)]


class Confinement(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("profile", ctypes.c_int), ("landlock", ctypes.c_int),
                ("read", ctypes.c_void_p), ("read_write", ctypes.c_void_p),
                ("calls", ctypes.POINTER(ctypes.c_char_p))]


class WorkerOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("confinement", ctypes.POINTER(Confinement)),
                ("namespaces", ctypes.c_int), ("required_namespaces", ctypes.c_int),
                ("keep", ctypes.c_void_p), ("keep_count", ctypes.c_size_t)]


Work = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p)
lib.sockgate_addresses_text.restype = ctypes.c_char_p
lib.sockgate_addresses_text.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def call(function, *arguments):
    error = Error(ctypes.sizeof(Error))
    if function(*arguments, ctypes.byref(error)) != 0:
        raise OSError(error.error_number, error.text.decode())


def open_socket(purpose, address):
    family, kind, protocol, (ip, port, *_) = address
    made = Socket(ctypes.sizeof(Socket), -1)
    try:
        call(lib.sockgate_connect_ip, client, ip.encode(), ctypes.c_uint16(port), IN_PROGRESS,
             ctypes.c_uint32(30000), ctypes.byref(made))
    except OSError as error:
        print(f"fetch.py: {ip}:{port}: {error.strerror}", file=sys.stderr)
        return pycurl.SOCKET_BAD
    return socket.socket(family, kind, protocol, fileno=made.descriptor)


def addresses_of(host):
    """As CURLOPT_RESOLVE takes them."""
    found = ctypes.c_void_p()
    call(lib.sockgate_resolve, client, host.encode(), socket.AF_UNSPEC, ctypes.byref(found))
    for i in range(32):
        text = lib.sockgate_addresses_text(found, i)
        if text is None:
            return
        yield text.decode() if b":" not in text else f"[{text.decode()}]"


def is_literal(host):
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def work(function):
    """As sockgate_work. ctypes prints what is raised in a callback, and returns 0, as if all were well."""
    def guarded(channel, _):
        try:
            return function(channel)
        except BaseException as error:
            print("fetch.py:", str(error) or type(error).__name__, file=sys.stderr, flush=True)
            return 1
    return Work(guarded)


@work
def prepare(channel):
    global armed
    call(lib.sockgate_client_from_descriptor, channel, -1, ctypes.byref(client))
    armed = lib.sockgate_names_arm(client, None) == 0
    return 0


@work
def fetch(channel):
    url = urlsplit(sys.argv[2])
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    curl = pycurl.Curl()
    curl.setopt(pycurl.URL, sys.argv[2])
    curl.setopt(pycurl.FOLLOWLOCATION, True)
    curl.setopt(pycurl.NOPROXY, "*")
    if not armed and not is_literal(url.hostname):
        curl.setopt(pycurl.RESOLVE, [f"{url.hostname}:{port}:" + ",".join(addresses_of(url.hostname))])
    curl.setopt(pycurl.OPENSOCKETFUNCTION, open_socket)
    curl.setopt(pycurl.SOCKOPTFUNCTION, lambda descriptor, purpose: pycurl.SOCKOPT_OK)
    curl.setopt(pycurl.WRITEFUNCTION, sys.stdout.buffer.write)
    curl.perform()
    sys.stdout.buffer.flush()
    return 0


client = ctypes.c_void_p()
armed = False


def main():
    broker, worker = ctypes.c_void_p(), ctypes.c_void_p()
    channel, status = ctypes.c_int(-1), ctypes.c_int(-1)
    # pycurl duplicates the socket that it is given.
    calls = (ctypes.c_char_p * 2)(b"dup", None)
    confinement = Confinement(ctypes.sizeof(Confinement), calls=calls)
    options = WorkerOptions(ctypes.sizeof(WorkerOptions), ctypes.pointer(confinement))
    call(lib.sockgate_broker_start_file, sys.argv[1].encode(), -1, ctypes.byref(broker))
    call(lib.sockgate_broker_add_worker, broker, b"fetch", ctypes.byref(channel))
    call(lib.sockgate_worker_start, channel, ctypes.byref(options), prepare, fetch, None, ctypes.byref(worker))
    call(lib.sockgate_worker_wait, worker, ctypes.byref(status))
    lib.sockgate_broker_free(broker)
    return status.value


if __name__ == "__main__":
    sys.exit(main())
