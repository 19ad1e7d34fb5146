// Every error of a policy file: where it is, what is said of it, and what to write instead.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/broker/policy/load_policy.h"

namespace sockgate::testing {
namespace {

struct Row {
  std::string text;
  Texts findings;
};

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const LoadedPolicy loaded = ParsePolicy(row.text);
    EXPECT_EQ(InWords(loaded), row.findings) << row.text;
    EXPECT_FALSE(loaded.policy.has_value()) << row.text;
  }
}

// In the only rule of a role that is otherwise fine; its table begins in column 11 of line 7.
Row InRule(absl::string_view rule, Texts findings) {
  return {WithRules(absl::StrCat("allow = [ ", rule, " ]\n")), std::move(findings)};
}

TEST(PolicyErrorsTest, OfTheFile) {
  const std::string role = "[roles.r]\n";
  Check({
      {"",
       {"error 1:1 'version' is missing (write version = 1 in the first line)",
        "error 1:1 there is no role (write a table [roles.NAME])"}},
      {role, {"error 1:1 'version' is missing (write version = 1 in the first line)"}},
      {"version = 2\n" + role, {"error 1:11 version 2 is not known here (write version = 1)"}},
      {"version = \"1\"\n" + role,
       {"error 1:11 'version' must be an integer, not a string (write version = 1)"}},
      {"version = 1\nroles = 3",
       {"error 2:9 'roles' must be a table, not an integer (write roles = { ... })"}},
      {"version = 1\n[roles]\n", {"error 1:1 there is no role (write a table [roles.NAME])"}},
      {"version = 1\nroles.r = true",
       {"error 2:11 'r' must be a table, not a boolean (write [roles.NAME])"}},
      {"version = 1\ndeny_own_adresses = true\n" + role,
       {"error 2:1 unknown key 'deny_own_adresses' in the file (write 'deny_own_addresses')"}},
      {"version = 1\n\"colo\\u0007r\" = 1\n" + role,
       {"error 2:1 unknown key 'colo\\x07r' in the file"
        " (write one of version, deny_own_addresses, audit_overflow, roles, listen, resolver, "
        "limits)"}},
      {"version = 1\ndeny_own_addresses = 1\n" + role,
       {"error 2:22 'deny_own_addresses' must be a boolean, not an integer"
        " (write deny_own_addresses = true or false)"}},
      {"version = 1\naudit_overflow = \"lose\"\n" + role,
       {"error 2:18 'audit_overflow' cannot be 'lose' (write \"deny\" or \"drop\")"}},
      {"version = 1\naudit_overflow = true\n" + role,
       {"error 2:18 'audit_overflow' must be a string, not a boolean"
        " (write audit_overflow = \"...\")"}},
      {"version = 1\n[roles.\"a b\"]\n",
       {"error 2:1 'a b' is no name of a role"
        " (write 1 to 64 letters, digits, '.', '_' and '-')"}},
  });
}

TEST(PolicyErrorsTest, OfListen) {
  const auto with = [](absl::string_view listen) {
    return absl::StrCat("version = 1\n[roles.crawler]\n[[listen]]\n", listen);
  };
  const std::string role = "role = \"crawler\"\n";
  const std::string good = "path = \"/run/x\"\n" + role;
  Check({
      {with(""),
       {"error 3:1 [[listen]] has no 'path' (write path = \"/run/sockgate/NAME\")",
        "error 3:1 [[listen]] has no 'role' (write role = \"NAME\")"}},
      {with(role + "path = \"run/x\""),
       {"error 5:8 'run/x' is no absolute path"
        " (write the whole path, as in \"/run/sockgate/NAME\")"}},
      {with(role + "path = 3"),
       {"error 5:8 'path' must be a string, not an integer (write path = \"...\")"}},
      {with("path = \"/run/x\"\nrole = \"crawlr\""),
       {"error 5:8 there is no role 'crawlr' (write 'crawler')"}},
      {with("path = \"/run/x\"\nrole = \"other\""),
       {"error 5:8 there is no role 'other' (write a table [roles.NAME] for it)"}},
      {with(good + "owner = \"no-such-user\""),
       {"error 6:9 this machine knows no user 'no-such-user'"
        " (write the name of a user, or its number)"}},
      {with(good + "owner = -1"), {"error 6:9 'owner' cannot be -1 (write 0 to 4294967294)"}},
      {with(good + "group = \"4711\"\nmode = \"0660\""),
       {"error 6:9 this machine knows no group '4711' (write 4711 without quotes)"}},
      {with(good + "mode = 660"),
       {"error 6:8 'mode' must be a string of octal digits, not an integer"
        " (write mode = \"0660\")"}},
      {with(good + "mode = \"0680\""),
       {"error 6:8 '0680' is no mode of a file (write mode = \"0660\")"}},
      {with(good + "mode = \"4755\""),
       {"error 6:8 '4755' is no mode of a file (write mode = \"0660\")"}},
      {with(good + "[[listen]]\n" + good),
       {"error 6:1 '/run/x' is taken by line 3"
        " (write another path, or remove one of the two tables)"}},
      {with(good + "rol = 1"), {"error 6:1 unknown key 'rol' in [[listen]] (write 'role')"}},
      {"version = 1\nlisten = \"/run/x\"\n[roles.r]\n",
       {"error 2:10 'listen' must be an array of tables, not a string"
        " (write a table [[listen]])"}},
  });
}

TEST(PolicyErrorsTest, OfARole) {
  Check({
      {WithRules("mod = 1"), {"error 7:1 unknown key 'mod' in a role (write 'mode')"}},
      {WithRules("mode = \"enforced\""),
       {"error 7:8 'enforced' is no mode (write \"enforce\" or \"report\")"}},
      {WithRules("require_confined = \"yes\""),
       {"error 7:20 'require_confined' must be a boolean, not a string"
        " (write require_confined = true or false)"}},
      {WithRules("peers = { users = [], groups = [] }"),
       {"error 7:9 'peers' names nobody"
        " (write users = [...] or groups = [...], or remove 'peers')"}},
      {WithRules("peers = { users = \"root\", group = [1] }"),
       {"error 7:9 'peers' names nobody"
        " (write users = [...] or groups = [...], or remove 'peers')",
        "error 7:19 'users' must be an array, not a string (write users = [ ... ])",
        "error 7:27 unknown key 'group' in 'peers' (write 'groups')"}},
      {WithRules("peers = { users = [true] }"),
       {"error 7:20 'users' must be a name or a number, not a boolean (write \"root\" or 0)"}},
      {WithRules("allow = { public = true, ports = 80 }"),
       {"error 7:9 'allow' must be an array, not a table (write allow = [ ... ])"}},
      {WithRules("deny = [ \"10.0.0.0/8\" ]"),
       {"error 7:10 'deny' must be an array of tables, not a string"
        " (write { host = \"example.com\", ports = [80, 443] })"}},
  });
}

TEST(PolicyErrorsTest, OfLimits) {
  Check({
      {WithRules("limits = { max_outstanding = 1025, max_pendin = 1, max_channels = 0 }"),
       {"error 7:30 'max_outstanding' cannot be 1025 (write 1 to 1024)",
        "error 7:36 unknown key 'max_pendin' in 'limits' (write 'max_pending')",
        "error 7:67 'max_channels' cannot be 0 (write 2 to 1000000)"}},
      {WithRules("limits = { max_deadline_ms = 150001, unread_patience_ms = 1.5 }"),
       {"error 7:30 'max_deadline_ms' cannot be 150001 (write 1 to 150000)",
        "error 7:59 'unread_patience_ms' must be an integer, not a number with a point, or a date"
        " (write unread_patience_ms = a whole number, 1 to 3600000)"}},
      {WithRules("limits = { max_lookups = 0, max_leases = 0, lease_grace_ms = 86400001 }"),
       {"error 7:26 'max_lookups' cannot be 0 (write 1 to 1000000)",
        "error 7:42 'max_leases' cannot be 0 (write 1 to 1000000)",
        "error 7:62 'lease_grace_ms' cannot be 86400001 (write 0 to 86400000)"}},
      {WithRules("limits = { connect_burst = 1 }"),
       {"error 7:12 'connect_burst' means nothing without a rate"
        " (write connects_per_second = 10 too, or remove it)"}},
      {WithRules("total = { max_workers = 0, max_worker = 1 }"),
       {"error 7:25 'max_workers' cannot be 0 (write 1 to 1000000)",
        "error 7:28 unknown key 'max_worker' in 'total' (write 'max_workers')"}},
      {"version = 1\nlimits = { max_memory_mib = -1, max_descriptor = 1 }\n[roles.r]\n",
       {"error 2:29 'max_memory_mib' cannot be -1 (write 0 to 1048576)",
        "error 2:33 unknown key 'max_descriptor' in 'limits' (write 'max_descriptors')"}},
      {WithRules("limits = { max_connections = 1, max_connection_age_s = 0 }"),
       {"error 7:12 'max_connections' means nothing without tracking"
        " (write track = true in the role, or remove it)",
        "error 7:33 'max_connection_age_s' means nothing without tracking"
        " (write track = true in the role, or remove it)"}},
      {WithRules("track = false\nlimits = { max_connections = 1 }"),
       {"error 8:12 'max_connections' means nothing without tracking"
        " (write track = true in the role, or remove it)"}},
      // The one mistake is told, not what follows from it.
      {WithRules("track = 1\nlimits = { max_connections = 1 }"),
       {"error 7:9 'track' must be a boolean, not an integer (write track = true or false)"}},
      {WithRules("track = true\nlimits = { max_connections = 0, max_connection_age_s = 31536001 }"),
       {"error 8:30 'max_connections' cannot be 0 (write 1 to 1000000)",
        "error 8:56 'max_connection_age_s' cannot be 31536001 (write 0 to 31536000)"}},
  });
}

TEST(PolicyErrorsTest, OfSockets) {
  Check({
      {WithRules("sockets = { source = [\"192.0.2.7\", \"192.0.2.8\", \"x\", \"::\"] }"),
       {"error 7:36 '192.0.2.8' is the second IPv4 address that 'source' names"
        " (write at most one of each family)",
        "error 7:49 'x' is no address that a socket can have (write an address, as in "
        "\"192.0.2.7\")",
        "error 7:54 '::' is no address that a socket can have (write an address, as in "
        "\"192.0.2.7\")"}},
      {WithRules("sockets = { interface = \"sixteen-bytes-xx\", tos = 256 }"),
       {"error 7:25 'sixteen-bytes-xx' is no name of an interface"
        " (write 1 to 15 letters and digits, as in \"eth0\")",
        "error 7:51 'tos' cannot be 256 (write 0 to 255)"}},
      {WithRules("sockets = { keepalive = { idle = 1, probes = 128 }, mark = 4294967296 }"),
       {"error 7:27 unknown key 'idle' in 'keepalive' (write one of idle_s, interval_s, probes)",
        "error 7:46 'probes' cannot be 128 (write 1 to 127)",
        "error 7:60 'mark' cannot be 4294967296 (write 0 to 4294967295)"}},
      {WithRules("sockets = { keepalive = 60, congestion_control = \"\" }"),
       {"error 7:25 'keepalive' must be a boolean or a table, not an integer"
        " (write true, or { idle_s = 60, interval_s = 10, probes = 5 })",
        "error 7:50 '' is no name of a congestion control"
        " (write 1 to 15 letters and digits, as in \"bbr\")"}},
  });
}

TEST(PolicyErrorsTest, OfTargets) {
  Check({
      InRule("{ ports = 80 }", {"error 7:11 the rule does not say what it is about"
                                " (write one of host, cidr, unix, public)"}),
      InRule("{ host = \"a.b\", cidr = \"10.0.0.0/8\", ports = 80 }",
             {"error 7:27 a rule is about one of host and cidr (write a rule for each)"}),
      InRule("{ hosts = \"a.b\", ports = 80 }",
             {"error 7:11 the rule does not say what it is about"
              " (write one of host, cidr, unix, public)",
              "error 7:13 unknown key 'hosts' in an allow rule (write 'host')"}),
      InRule("{ host = \"*\", ports = 80 }", {"error 7:20 '*' would cover every name"
                                              " (write public = true, or *.example.com for the"
                                              " names below one)"}),
      InRule("{ host = [\"0x7f.1\", 5], ports = 80 }",
             {"error 7:21 '0x7f.1' is an address (write cidr = \"127.0.0.1\")",
              "error 7:31 'host' must be an array of strings, not an integer"
              " (write host = \"www.example.com\")"}),
      InRule("{ host = [], ports = 80 }",
             {"error 7:20 'host' is empty (write host = \"www.example.com\")"}),
      InRule("{ cidr = \"10.0.0.1/8\", ports = 80 }",
             {"error 7:20 '10.0.0.1/8' has bits set beyond its prefix"
              " (write \"10.0.0.0/8\", or \"10.0.0.1\" alone)"}),
      InRule("{ public = false, ports = 80 }", {"error 7:22 'public' can only be true"
                                                " (write public = true, or remove the rule)"}),
      InRule("{ unix = \"/run/../x\" }",
             {"error 7:20 '/run/../x' is not spelled out: no '.' and no '..'"
              " (write the whole path, as in \"/run/app/socket\")"}),
      InRule("{ unix = \"/run/r\" }",
             {"error 7:20 '/run/r' is where the broker listens"
              " (remove it: a worker needs no rule to open another channel)"}),
  });
}

TEST(PolicyErrorsTest, OfPortsAndTransports) {
  const std::string advice = " (write 443, \"8000-8100\", [80, 443] or \"*\")";
  Check({
      InRule("{ public = true }", {"error 7:11 the rule does not say at which ports"
                                   " (write ports = [80, 443])"}),
      InRule("{ public = true, ports = [0, 65536, \"x\", true, \"9-8\"] }",
             {"error 7:37 0 is no port (write 1 to 65535)",
              "error 7:40 65536 is no port (write 1 to 65535)",
              "error 7:47 'x' is no list of ports" + advice,
              "error 7:52 'ports' must be an integer, a string or an array of them,"
              " not a boolean" +
                  advice,
              "error 7:58 '9-8' is no list of ports" + advice}),
      InRule("{ public = true, ports = [] }", {"error 7:36 'ports' is empty" + advice}),
      InRule("{ public = true, ports = 80, transport = \"sctp\" }",
             {"error 7:52 'sctp' is no transport (write \"tcp\", \"udp\" or \"any\")"}),
      InRule("{ unix = \"/run/x\", ports = 80, transport = \"tcp\" }",
             {"error 7:30 'ports' means nothing for a UNIX socket (remove it)",
              "error 7:42 'transport' means nothing for a UNIX socket (remove it)"}),
  });
}

TEST(PolicyErrorsTest, OfPrivate) {
  Check({
      InRule("{ public = true, ports = 80, private = true }",
             {"error 7:40 'private' is for rules on hosts only"
              " (remove it; a cidr rule within the private range opens it)"}),
      InRule("{ host = \"a.b\", ports = 80, private = 1 }",
             {"error 7:49 'private' must be a boolean, not an integer (write private = true)"}),
      {WithRules("deny = [ { host = \"a.b\", private = true } ]"),
       {"error 7:26 'private' means nothing in a deny rule: it denies all addresses"
        " (remove it)"}},
  });
}

TEST(PolicyErrorsTest, AllAreReportedInTheOrderOfTheFile) {
  Check(
      {{"version = 1\ncolour = 1\n[roles.a]\nallow = [\n  { host = \"a..b\", ports = 0 },\n"
        "  { cidr = \"x\", ports = 80 },\n]\n[[listen]]\npath = \"x\"\nrole = \"b\"\n",
        {"error 2:1 unknown key 'colour' in the file"
         " (write one of version, deny_own_addresses, audit_overflow, roles, listen, resolver, "
         "limits)",
         "error 5:12 'a..b' has an empty label: two dots in a row, or one in front"
         " (write a name (example.com), or all names below one (*.example.com))",
         "error 5:28 0 is no port (write 1 to 65535)",
         "error 6:12 'x' is a name (write host = \"x\")",
         "error 9:8 'x' is no absolute path"
         " (write the whole path, as in \"/run/sockgate/NAME\")",
         "error 10:8 there is no role 'b' (write 'a')"}}});
}

}  // namespace
}  // namespace sockgate::testing
