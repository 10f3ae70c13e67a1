#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/intake/page_worker.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "formats/doc.h"

enum { FRAME_ID = 1, FRAME_PAGE };
enum { ID_TEXT = 1 };
enum { PAGE_STATE = 1, PAGE_NEXT };
enum page_state {
	STATE_PAGE,
	STATE_NONE,		/* it is no JSON object */
	STATE_ODD,		/* its token is none that can be sent back */
};
#define TOKEN_MAX (16 * KIB)
#define ID_MAX 64
#define ARENA_MAX (8 * LIMIT_FETCH)

/* --- the worker ------------------------------------------------------------ */

static int
send(struct buf *b, int fd)
{
	int r = frame_send(b, fd, NULL);

	buf_clear(b);
	return r;
}

static int
send_ids(const struct doc *page, struct buf *b, int fd)
{
	const struct doc *id;
	const char *text;
	size_t n;
	int r = 0;

	for (const struct doc *x = doc_kids(doc_key(page, "experiments"));
	    x != NULL && r >= 0; x = x->next) {
		id = doc_key(x, "experiment_id");
		if ((text = doc_text(id, &n)) == NULL || n == 0 || n > ID_MAX)
			continue;
		frame_begin(b, FRAME_ID);
		frame_put(b, ID_TEXT, text, n);
		r = send(b, fd);
	}
	return r;
}

static int
answer(const struct doc *page, int fd)
{
	const struct doc *next = doc_key(page, "next_page_token");
	enum page_state state = doc_is(page, DOC_MAP) ? STATE_PAGE :
	    STATE_NONE;
	const char *token;
	struct buf b;
	size_t n;
	int r;

	buf_init(&b, LIMIT_FRAME + FRAME_HEADER);
	r = send_ids(page, &b, fd);
	token = doc_str(next, &n);
	if (state == STATE_PAGE && next != NULL && !doc_is(next, DOC_NULL) &&
	    (token == NULL || n > TOKEN_MAX ||
	    memchr(token, '\0', n) != NULL))
		state = STATE_ODD;
	frame_begin(&b, FRAME_PAGE);
	frame_put_u32(&b, PAGE_STATE, state);
	if (state == STATE_PAGE && token != NULL)
		frame_put(&b, PAGE_NEXT, token, n);
	if (r >= 0)
		r = send(&b, fd);
	buf_release(&b);
	return r;
}

static int
read_page(int fd, uint64_t size, int out_fd)
{
	struct bytesrc *src = bytesrc_take_fd(fd, 0, size, NULL);
	struct arena *a = arena_new(ARENA_MAX);
	const struct doc *page = NULL;
	struct doc_fault at;
	uint8_t *p = NULL;
	int r = 1;

	if (src != NULL && a != NULL && size <= LIMIT_FETCH &&
	    (p = arena_alloc(a, (size_t)size)) != NULL &&
	    bytesrc_read(src, 0, p, (size_t)size, NULL) >= 0) {
		if (doc_json(p, (size_t)size, a, &page, &at, NULL) < 0)
			page = NULL;
		r = answer(page, out_fd);
	}
	arena_free(a);
	bytesrc_free(src);
	return r;
}

static int
worker_main(void *arg, int out_fd)
{
	struct sandbox_policy policy = {.out_fd = {out_fd, -1},
	    .max_as = LIMIT_INTAKE_AS, .descriptors = 64};
	struct sandbox_status st = {0};
	const int *sock = arg;
	uint64_t size;
	unsigned got;
	int fd;

	if (sandbox_enter(&policy, &st, NULL) < 0 || !st.seccomp)
		return 2;
	while (fdpass_recv(*sock, &size, sizeof(size), &fd, 1, &got, NULL) >=
	    0)
		if (got != 1 || read_page(fd, size, out_fd) != 0)
			return 1;
	return 0;
}

/* --- the parent ------------------------------------------------------------ */

int
page_worker_start(struct page_worker *w, struct err *e)
{
	int fd[2], r;

	if ((r = fdpass_pair(fd, e)) < 0)
		return r;
	r = proc_spawn(&w->p, worker_main, &fd[1], &fd[1], 1, 0, e);
	(void)close(fd[1]);
	if (r < 0)
		(void)close(fd[0]);
	else
		w->sock = fd[0];
	return r;
}

void
page_worker_stop(struct page_worker *w)
{
	int status;

	if (w->p.pid <= 0)
		return;
	(void)close(w->sock);
	proc_kill(&w->p);
	(void)proc_wait(&w->p, &status);
}

static int
take_page(const struct frame *f, struct buf *next, struct err *e)
{
	const struct cursor *c = &f->field[PAGE_NEXT];
	uint32_t state;

	if (!frame_u32(f, PAGE_STATE, &state) || state > STATE_ODD ||
	    c->len > TOKEN_MAX)
		return err_set(e, ERR_CHILD, "the reading process is broken");
	if (state == STATE_NONE)
		return err_set(e, ERR_FORMAT, "the page is no JSON object");
	if (state == STATE_ODD)
		return err_set(e, ERR_FORMAT, "there is a next page, and its "
		    "token cannot be used");
	if (c->len > 0)
		buf_put(next, c->buf, c->len);
	return 0;
}

int
page_worker_ask(struct page_worker *w, int fd, struct buf *next,
    struct buf *ids, struct err *e)
{
	static uint8_t body[LIMIT_FRAME];
	struct frame f;
	struct stat st;
	uint64_t size;
	uint8_t type;
	size_t n;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(e, ERR_IO, "cannot look at a page");
	size = (uint64_t)st.st_size;
	w->p.deadline = clock_mono_ns() +
	    1000000000LL * LIMIT_FETCH_SECONDS;
	if (fdpass_send(w->sock, &size, sizeof(size), &fd, 1) < 0)
		return err_set(e, ERR_CHILD, "the reading process is gone");
	while ((r = proc_frame(&w->p, &type, body, sizeof(body), &n, e)) > 0) {
		if (!frame_parse(&f, type, body, n))
			break;
		if (type == FRAME_PAGE)
			return take_page(&f, next, e);
		if (type != FRAME_ID || f.field[ID_TEXT].len > ID_MAX ||
		    f.field[ID_TEXT].len == 0)
			break;
		buf_put(ids, f.field[ID_TEXT].buf, f.field[ID_TEXT].len);
		buf_putc(ids, '\0');
	}
	return r < 0 ? r : err_set(e, ERR_CHILD,
	    "the reading process was ended");
}
