#ifndef BASE_FDPASS_H_
#define BASE_FDPASS_H_

#include <stddef.h>

struct err;

/*
 * Descriptors from one process to another, over a socket pair that was made
 * before the fork (unix(7), SCM_RIGHTS).  A message is a few bytes and up to
 * FDPASS_MAX descriptors, and arrives whole or not at all.
 */
#define FDPASS_MAX 4

/* fdpass_pair: both ends close on exec. */
int fdpass_pair(int fd[2], struct err *e);

/*
 * fdpass_send: never waits and raises no signal: a receiver that does not
 * read must not hold the sender.  0 or ERR_CHILD.
 */
int fdpass_send(int sock, const void *p, size_t n, const int *fds,
    unsigned nfds);

/*
 * fdpass_recv: waits for a message of exactly ${n} bytes and takes up to
 * ${cap} descriptors, which are the caller's; *got says how many came (fewer
 * than were sent when the process may not hold more).  ERR_CHILD when the
 * other end is gone.
 */
int fdpass_recv(int sock, void *p, size_t n, int *fds, unsigned cap,
    unsigned *got, struct err *e);

#endif /* !BASE_FDPASS_H_ */
