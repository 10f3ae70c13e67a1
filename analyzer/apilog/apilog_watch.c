#include <string.h>

#include "analyzer/apilog/apilog_work.h"
#include "analyzer/jrow.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"

/*
 * --candidates: rows of earlier results become values to look for.  The file
 * may come from anywhere: it is read here, inside the fence.
 */
#define ROW_ARENA (64 * MIB)
#define ROW_FULL (8 * MIB)

struct watch {
	struct apilog_work *w;
	struct arena *keep;	/* values, until the end of the log */
	uint64_t taken, over, other;
};

/* A text as results print it, as the bytes it was. */
static struct row_text
unescape(struct arena *a, const struct jpair *p)
{
	char *out = arena_alloc(a, p->len + 1);
	size_t n = 0;
	uint64_t byte;

	if (out == NULL)
		return (struct row_text){NULL, 0};
	for (size_t i = 0; i < p->len; i++)
		if (p->val[i] == '\\' && p->len - i >= 4 &&
		    p->val[i + 1] == 'x' &&
		    text_u64(p->val + i + 2, 2, 16, 255, &byte)) {
			out[n++] = (char)byte;
			i += 3;
		} else {
			out[n++] = p->val[i];
		}
	return (struct row_text){out, n};
}

static const char *
kind_of(const struct jrow *row)
{
	static const char *const kinds[] = {"token", "phrase", "character"};
	const char *kind = jrow_get(row, "kind");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], kind) == 0)
			return kinds[i];
	return NULL;
}

static int
one_row(struct watch *x, const struct jrow *row)
{
	const struct jpair *value = jrow_find(row, "value");
	const struct jpair *target = jrow_find(row, "target");
	struct traffic_watch t = {.kind = kind_of(row)};

	if (strcmp(jrow_get(row, "type"), "candidate") != 0 || value == NULL)
		return 0;
	if (t.kind == NULL || value->len == 0) {
		x->other++;
		return 0;
	}
	if (x->taken == LIMIT_APILOG_WATCH) {
		x->over++;
		return 0;
	}
	t.value = unescape(x->keep, value);
	if (target != NULL && target->len > 0)
		t.target = unescape(x->keep, target);
	t.method = arena_dup(x->keep, jrow_get(row, "method"),
	    strlen(jrow_get(row, "method")));
	if (t.value.p == NULL || t.method == NULL)
		return err_set(&x->w->e, ERR_NOMEM, "out of memory");
	x->taken++;
	return traffic_watch(x->w->traffic, &t);
}

/* Rows until the arena is full: 1, 0 at the end, negative. */
static int
some_rows(struct watch *x, struct reader *rd, struct err *why)
{
	struct arena *a = arena_new(ROW_ARENA);
	struct jrow *row;
	int r = a != NULL ? 1 : ERR_NOMEM;

	while (r > 0 && arena_used(a) < ROW_FULL)
		if ((r = jrow_read(rd, a, &row, why)) > 0 &&
		    (r = one_row(x, row)) == 0)
			r = 1;
	arena_free(a);
	return r;
}

static int
one_file(struct watch *x, const struct apilog_file *f)
{
	struct bytesrc *src = bytesrc_fd(f->fd, 0, f->size, &x->w->e);
	struct err why = ERR_INIT;
	struct reader rd;
	int r;

	if (src == NULL)
		return x->w->e.code;
	buf_clear(&x->w->path);
	buf_printf(&x->w->path, "%u:", f->operand);
	if (f->size > LIMIT_APILOG_RESULTS) {
		r = ERR_LIMIT;
	} else if ((r = reader_init(&rd, src, 0, 0, x->keep,
	    &x->w->e)) >= 0) {
		while ((r = some_rows(x, &rd, &why)) > 0)
			continue;
	}
	bytesrc_free(src);
	if (r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT)
		return apilog_tell_finding(x->w, FINDING_LOGS_UNREAD,
		    "reason", r == ERR_LIMIT ?
		    "a file of candidates is over a limit" :
		    "a file of candidates is not JSON Lines of results");
	return r;
}

int
apilog_watch_load(struct apilog_work *w)
{
	struct watch x = {.w = w};
	int r = 0;

	if (w->job->nwatch == 0)
		return 0;
	if ((w->watched = arena_new(LIMIT_APILOG_RESULTS)) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	x.keep = w->watched;
	for (size_t i = 0; i < w->job->nwatch && r >= 0; i++)
		r = one_file(&x, &w->job->watch[i]);
	if (r >= 0 && x.over > 0)
		r = diff_wire_skip(&w->wire, "candidates beyond the first "
		    "4096", "they were not looked for");
	if (r >= 0 && x.other > 0)
		r = diff_wire_skip(&w->wire, "candidates that are no text",
		    "classes, layers and patches cannot be looked up");
	return r;
}
