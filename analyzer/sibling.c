#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "analyzer/sibling.h"
#include "analyzer/wire.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"

struct answer {
	uint64_t off, len;
	int32_t status;
};

/* Room for one descriptor; the union aligns it as cmsg(3) wants. */
union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

int
sibling_pair(int fd[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		return err_sys(e, errno, "cannot make a socket pair");
	return 0;
}

/* The descriptor that came, or -1. */
static int
passed_fd(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd;

	if (c == NULL || c->cmsg_level != SOL_SOCKET ||
	    c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int
sibling_ask(int fd, struct wire *w, const char *name, size_t n,
    struct bytesrc **ret, struct err *e)
{
	struct answer a = {0};
	struct iovec io = {&a, sizeof(a)};
	union control control = {0};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t got;
	int r, passed;

	*ret = NULL;
	if (fd < 0 || n == 0)
		return SIBLING_UNKNOWN;
	if (n > WIRE_NAME_MAX)
		return SIBLING_REFUSED;
	if ((r = wire_send_ask(w, name, n, e)) < 0)
		return r;
	do
		got = recvmsg(fd, &m, 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(a))
		return err_set(e, ERR_CHILD, "the parent does not answer");
	passed = passed_fd(&m);
	if (a.status != SIBLING_OPEN)
		return a.status;
	/* More are held open than LIMIT_SIBLINGS_OPEN. */
	if (passed < 0)
		return SIBLING_UNKNOWN;
	*ret = bytesrc_take_fd(passed, a.off, a.len, e);
	return *ret != NULL ? SIBLING_OPEN : ERR_NOMEM;
}

int
sibling_answer(int sock, int status, int fd, uint64_t off, uint64_t len)
{
	struct answer a = {off, len, status};
	struct iovec io = {&a, sizeof(a)};
	union control control = {0};
	struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (status == SIBLING_OPEN) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	/* A worker that asks and does not read must not hold us. */
	return sendmsg(sock, &m, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)sizeof(a) ? 0 : ERR_CHILD;
}

/* The last part of dst[0..*at) is taken away; false at the beginning. */
static bool
go_up(const char *dst, size_t *at)
{
	if (*at == 0)
		return false;
	while (*at > 0 && dst[*at - 1] != '/')
		--*at;
	if (*at > 0)
		--*at;
	return true;
}

static bool
append(const char *p, size_t n, char *dst, size_t cap, size_t *at)
{
	size_t i = 0, len;

	for (; i < n; i += len + 1) {
		const char *slash = memchr(p + i, '/', n - i);

		len = slash != NULL ? (size_t)(slash - (p + i)) : n - i;
		if (len == 0 || (len == 1 && p[i] == '.'))
			continue;
		if (len == 2 && p[i] == '.' && p[i + 1] == '.') {
			if (!go_up(dst, at))
				return false;
			continue;
		}
		if (len + 2 > cap - *at)
			return false;
		if (*at > 0)
			dst[(*at)++] = '/';
		memcpy(dst + *at, p + i, len);
		*at += len;
	}
	return true;
}

bool
sibling_path(const char *folder, const void *name, size_t n, char *dst,
    size_t cap)
{
	const char *p = name;
	size_t at = 0;

	if (n == 0 || p[0] == '/' || memchr(p, '\0', n) != NULL ||
	    !append(folder, strlen(folder), dst, cap, &at) ||
	    !append(p, n, dst, cap, &at) || at == 0)
		return false;
	dst[at] = '\0';
	return true;
}
