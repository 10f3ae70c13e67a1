#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "cli/remote_parts.h"

/*
 * A line of the other side's standard error: "HOST: text".  A line is cut
 * where the buffer is full; carriage returns (progress) end one too.
 *
 * ssh's own messages (-v -E) come on another way, so that the other side
 * cannot mix its own into them: the first one about the host's key is kept,
 * other notes for debugging are not shown.
 */
#define LINE 1000
#define SECONDS 5		/* to show the rest, at the end */
#define KEY "debug1: Server host key: "
enum { HEARD = 1 };
enum { HEARD_KEY = 1 };

struct says {
	int in;
	bool log;
	char host[80];		/* printable */
	char key[REMOTE_KEY];
	uint8_t line[LINE];
	size_t n;
};

/* A line of ssh: is it for nobody's eyes? */
static bool
note(struct says *s)
{
	static const char *const talk[] = {"debug", "OpenSSH_",
	    "Authenticated to ", "Transferred: ", "Bytes per second: "};
	struct cursor c;

	cursor_init(&c, s->line, s->n, 0);
	if (s->key[0] == '\0' &&
	    cursor_match(&c, (const uint8_t *)KEY, strlen(KEY)))
		(void)text_z(s->key, sizeof(s->key), c.buf + c.off,
		    cursor_left(&c));
	for (size_t i = 0; i < sizeof(talk) / sizeof(talk[0]); i++) {
		cursor_init(&c, s->line, s->n, 0);
		if (cursor_match(&c, (const uint8_t *)talk[i],
		    strlen(talk[i])))
			return true;
	}
	return false;
}

static int
say(struct says *s)
{
	char out[80 + 4 + LINE * TEXT_GROWTH];
	size_t at, used;

	if (s->n == 0)
		return 0;
	if (s->log && note(s)) {
		s->n = 0;
		return 0;
	}
	at = (size_t)snprintf(out, sizeof(out), "%s: ", s->host);
	at += text_printable(out + at, sizeof(out) - at - 1, s->line, s->n,
	    TEXT_PLAIN, &used);
	out[at++] = '\n';
	s->n = 0;
	return fsio_write_all(STDERR_FILENO, out, at, NULL);
}

static int
take(struct says *s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\n' && p[i] != '\r')
			s->line[s->n++] = p[i];
		if ((p[i] == '\n' || p[i] == '\r' || s->n == LINE) &&
		    say(s) < 0)
			return -1;
	}
	return 0;
}

static int
hear(struct says *s)
{
	static uint8_t chunk[4096];
	ssize_t n;

	for (;;) {
		n = read(s->in, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return say(s);
		if (take(s, chunk, (size_t)n) < 0)
			return -1;
	}
}

static int
says_main(void *arg, int out_fd)
{
	const struct sandbox_policy policy = {
	    .out_fd = {out_fd, STDERR_FILENO}, .max_as = LIMIT_WORKER_AS,
	    .write_files = true};
	struct says *s = arg;
	struct sandbox_status st;
	struct buf b;
	int r;

	if (sandbox_enter(&policy, &st, NULL) < 0 || hear(s) < 0)
		return 1;
	buf_init(&b, 4096);
	frame_begin(&b, HEARD);
	frame_put_str(&b, HEARD_KEY, s->key);
	r = frame_send(&b, out_fd, NULL);
	buf_release(&b);
	return r < 0;
}

int
remote_says_start(struct proc *p, int in, const char *host, bool log,
    struct err *e)
{
	struct says s = {.in = in, .log = log};

	(void)text_z(s.host, sizeof(s.host), host, strlen(host));
	return proc_spawn(p, says_main, &s, &in, 1, 0, e);
}

void
remote_says_end(struct proc *p, char key[REMOTE_KEY])
{
	static uint8_t body[LIMIT_FRAME];
	struct frame f;
	uint8_t type;
	size_t n;
	int status;

	key[0] = '\0';
	if (p->pid == 0)
		return;
	/* A child of ssh that stays may hold the pipe for ever. */
	p->deadline = remote_deadline(SECONDS);
	if (proc_frame(p, &type, body, sizeof(body), &n, NULL) > 0 &&
	    type == HEARD && frame_parse(&f, type, body, n) &&
	    frame_has(&f, HEARD_KEY))
		(void)text_z(key, REMOTE_KEY, f.field[HEARD_KEY].buf,
		    f.field[HEARD_KEY].len);
	(void)proc_wait(p, &status);
}
