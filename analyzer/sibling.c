#include <string.h>

#include "analyzer/sibling.h"
#include "analyzer/wire.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "formats/format.h"

struct answer {
	uint64_t off, len;
	int32_t status;
};

int
sibling_pair(int fd[2], struct err *e)
{
	return fdpass_pair(fd, e);
}

int
sibling_ask(int fd, struct wire *w, const char *name, size_t n,
    struct bytesrc **ret, struct err *e)
{
	struct answer a = {0};
	unsigned got;
	int r, passed;

	*ret = NULL;
	if (fd < 0 || n == 0)
		return SIBLING_UNKNOWN;
	if (n > WIRE_NAME_MAX)
		return SIBLING_REFUSED;
	if ((r = wire_send_ask(w, name, n, e)) < 0 ||
	    (r = fdpass_recv(fd, &a, sizeof(a), &passed, 1, &got, e)) < 0)
		return r;
	if (a.status != SIBLING_OPEN)
		return a.status;
	/* More are held open than LIMIT_SIBLINGS_OPEN. */
	if (got == 0)
		return SIBLING_UNKNOWN;
	*ret = bytesrc_take_fd(passed, a.off, a.len, e);
	return *ret != NULL ? SIBLING_OPEN : ERR_NOMEM;
}

int
sibling_answer(int sock, int status, int fd, uint64_t off, uint64_t len)
{
	struct answer a = {off, len, status};

	/* A worker that asks and does not read must not hold us. */
	return fdpass_send(sock, &a, sizeof(a), &fd,
	    status == SIBLING_OPEN ? 1 : 0);
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
