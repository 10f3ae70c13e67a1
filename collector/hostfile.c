#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/hostfile.h"
#include "collector/proctext.h"
#include "custody/digest.h"

#define TEXT_MAX (64 * KIB)

bool
hostfile_read(const char *path, struct buf *b)
{
	static char chunk[64 * KIB];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 ||
	    (n < 0 && errno == EINTR))
		if (n > 0)
			buf_put(b, chunk, (size_t)n);
	(void)close(fd);
	return n == 0 && buf_failed(b) == 0;
}

static void
put(struct json_write *w, const char *key, const void *p, size_t n)
{
	json_key(w, key);
	if (p != NULL)
		json_text(w, p, n, TEXT_PLAIN);
	else
		json_null(w);
}

void
hostfile_put(struct json_write *w, const char *key, const char *path)
{
	struct buf b;
	size_t n;

	buf_init(&b, TEXT_MAX);
	if (hostfile_read(path, &b)) {
		n = b.len > 0 && b.p[b.len - 1] == '\n' ? b.len - 1 : b.len;
		put(w, key, n > 0 ? (const char *)b.p : "", n);
	} else {
		json_knull(w, key);
	}
	buf_release(&b);
}

void
hostfile_link(struct json_write *w, const char *key, const char *path)
{
	char target[LIMIT_PATH];
	ssize_t n = readlink(path, target, sizeof(target));

	put(w, key, n >= 0 ? target : NULL, n >= 0 ? (size_t)n : 0);
}

void
hostfile_digest(struct json_write *w, const char *key, const char *path)
{
	static uint8_t chunk[64 * KIB];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct digest *d = digest_new(DIGEST_SHA256, NULL);
	struct digests out;
	ssize_t n = -1;

	while (fd >= 0 && d != NULL &&
	    ((n = read(fd, chunk, sizeof(chunk))) > 0 ||
	    (n < 0 && errno == EINTR)))
		(void)digest_put(d, chunk, n > 0 ? (size_t)n : 0, NULL);
	if (n == 0 && digest_now(d, &out, NULL) == 0)
		json_khex(w, key, out.sha256, 32);
	else
		json_knull(w, key);
	digest_free(d);
	if (fd >= 0)
		(void)close(fd);
}

void
hostfile_line(struct json_write *w, const char *key, const char *path,
    const char *name)
{
	struct cursor line;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	if (hostfile_read(path, &b) &&
	    proctext_status(b.p, b.len, name, &line))
		put(w, key, line.buf + line.off, cursor_left(&line));
	else
		json_knull(w, key);
	buf_release(&b);
}
