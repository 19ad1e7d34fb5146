// What a linked program needs of sockgate, as plain C functions, so that it can be found by every
// way of linking.

#ifndef SOCKGATE_TESTS_CLIENT_LINK_ARMING_H_
#define SOCKGATE_TESTS_CLIENT_LINK_ARMING_H_

extern "C" {

// Arms the name shim with a broker that knows a.test. Null, or why not.
const char* LinkTestArm();
void LinkTestDisarm();
// How many names the broker was asked for.
int LinkTestAsked();
}

#endif  // SOCKGATE_TESTS_CLIENT_LINK_ARMING_H_
