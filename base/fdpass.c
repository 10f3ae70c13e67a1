#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/err.h"
#include "base/fdpass.h"

/* Room for the descriptors; the union aligns it as cmsg(3) wants. */
union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(FDPASS_MAX * sizeof(int))];
};

int
fdpass_pair(int fd[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return err_sys(e, errno, "cannot make a socket pair");
	return 0;
}

int
fdpass_send(int sock, const void *p, size_t n, const int *fds, unsigned nfds)
{
	struct iovec io = {0};
	union control control = {0};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	struct cmsghdr *c;
	char copy[256];

	BUG_ON(nfds > FDPASS_MAX || n > sizeof(copy));
	memcpy(copy, p, n);
	io = (struct iovec){copy, n};
	if (nfds > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n ?
	    0 : ERR_CHILD;
}

int
fdpass_recv(int sock, void *p, size_t n, int *fds, unsigned cap,
    unsigned *got, struct err *e)
{
	struct iovec io = {p, n};
	union control control = {0};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	const struct cmsghdr *c;
	int all[FDPASS_MAX];
	unsigned came;
	ssize_t r;

	BUG_ON(cap > FDPASS_MAX);
	*got = 0;
	if (cap > 0) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(cap * sizeof(int));
	}
	do
		r = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r != (ssize_t)n)
		return err_set(e, ERR_CHILD, "the parent does not answer");
	c = CMSG_FIRSTHDR(&m);
	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(sizeof(int)))
		return 0;
	came = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(all, CMSG_DATA(c), came * sizeof(int));
	/* CMSG_SPACE pads, so one more than ${cap} may have come. */
	for (unsigned i = 0; i < came; i++)
		if (i < cap)
			fds[(*got)++] = all[i];
		else
			(void)close(all[i]);
	return 0;
}
