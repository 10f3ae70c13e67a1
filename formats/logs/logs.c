#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/codec.h"
#include "formats/logs/fieldmap.h"
#include "formats/logs/logs.h"
#include "formats/logs/shape.h"

/*
 * The reader: files one after another, what waits between them, what each
 * came to.
 */
#define KEEP_CAP (256 * MIB)	/* lines and nodes of one file */

const struct field_def logs_columns[LOGS_COLUMNS] = {
#define COLUMN(id, key, type, meaning) {key, type},
#include "formats/logs/request.def"
#undef COLUMN
};

static const struct {
	const char *id, *meaning;
} problems[] = {
#define PROBLEM(id, meaning) {#id, meaning},
#include "formats/logs/problems.def"
#undef PROBLEM
};

const char *
logs_problem_id(enum logs_problem p)
{
	return p < LOGS_PROBLEMS ? problems[p].id : "UNKNOWN";
}

const char *
logs_problem_meaning(enum logs_problem p)
{
	return p < LOGS_PROBLEMS ? problems[p].meaning : "";
}

struct logs {
	struct arena *a;	/* for the whole run */
	struct logs_ctx c;
	struct pending pending, parts;
	struct fieldmap map;
	struct jdoc doc[3];
};

struct logs *
logs_new(const struct logs_params *p, struct err *e)
{
	struct arena *a = arena_new(LIMIT_LOG_PENDING + 8 * MIB);
	struct logs *l;

	if (a == NULL || (l = arena_alloc(a, sizeof(*l))) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto fail;
	}
	if (fieldmap_parse(p->fields, a, &l->map, e) < 0)
		goto fail;
	l->a = a;
	l->c.run = a;
	l->c.p = p;
	l->c.pending = &l->pending;
	l->c.parts = &l->parts;
	l->c.map = &l->map;
	return l;
fail:
	arena_free(a);
	return NULL;
}

void
logs_free(struct logs *l)
{
	if (l == NULL)
		return;
	arena_free(l->c.scratch);
	arena_free(l->c.of_part);
	arena_free(l->a);
}

static const struct {
	const char *name;
	uint8_t magic[6];
	uint8_t n;
	int codec;		/* enum codec_kind; -1: not read here */
} codecs[] = {{"gzip", {0x1f, 0x8b, 8}, 3, CODEC_GZIP},
    {"xz", {0xfd, '7', 'z', 'X', 'Z', 0}, 6, CODEC_XZ},
    {"zstd", {0x28, 0xb5, 0x2f, 0xfd}, 4, -1},
    {"bzip2", {'B', 'Z', 'h'}, 3, -1},
    {"lz4", {0x04, 0x22, 0x4d, 0x18}, 4, -1}};

/* Of one member as it came, of several behind each other. */
struct unpacked {
	const uint8_t *p;
	size_t n;
	struct arena *first;	/* the only member: it is not copied */
	struct buf all;
};

/* ${a} is ours when it says 0. */
static int
append(struct unpacked *x, struct arena *a, const struct codec_result *r)
{
	if (x->first == NULL && x->all.len == 0) {
		x->first = a;
		x->p = r->p;
		x->n = r->n;
		return 0;
	}
	if (x->first != NULL)
		buf_put(&x->all, x->p, x->n);
	arena_free(x->first);
	x->first = NULL;
	if (r->n > 0)
		buf_put(&x->all, r->p, r->n);
	if (buf_failed(&x->all) < 0)
		return ERR_NOMEM;
	arena_free(a);
	x->p = (const uint8_t *)x->all.p;
	x->n = x->all.len;
	return 0;
}

/*
 * All members of a compressed file behind each other, in memory: log rotation
 * appends, and so do exporters.
 */
static int
inflate(struct logs_ctx *c, int kind, struct unpacked *x)
{
	const struct bytesrc *src = c->f->src;
	struct codec_result r = {0};
	struct arena *a;
	uint64_t at = 0;
	int rc;

	while (at < bytesrc_size(src)) {
		if ((a = arena_new(LIMIT_ARENA)) == NULL)
			return err_set(c->e, ERR_NOMEM, "out of memory");
		if ((rc = codec_inflate((enum codec_kind)kind, src, at,
		    bytesrc_size(src) - at, 0, LIMIT_LOG_INFLATE - x->n, a,
		    &r, c->e)) < 0 || (rc = append(x, a, &r)) < 0) {
			arena_free(a);
			return rc;
		}
		if (!r.ended || r.used == 0)
			break;
		at += r.used;
	}
	if (r.cut || r.broken || r.short_input || !r.ended)
		tell(c, LOGS_PROBLEM_COMPRESSED, at, bytesrc_size(src) - at,
		    r.cut ? "over a limit; the rest was not read" :
		    r.broken ? "the stream is broken" : "the stream is cut");
	return 0;
}

static int
read_plain(struct logs_ctx *c, struct logs *l, const struct bytesrc *src)
{
	int r;

	if ((c->keep = arena_new(KEEP_CAP)) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	memset(l->doc, 0, sizeof(l->doc));
	for (unsigned i = 0; i < 3; i++)
		l->doc[i].a = c->keep;
	c->d = &l->doc[0];
	c->inner = &l->doc[1];
	c->spare = &l->doc[2];
	lines_init(&c->lines, src, 0, c->p->window, c->keep);
	r = framing_run(c);
	c->acc.bytes = lines_tell(&c->lines);
	arena_free(c->keep);
	c->keep = NULL;
	return r;
}

static int
read_packed(struct logs_ctx *c, struct logs *l, unsigned i)
{
	struct bytesrc *src = NULL;
	struct unpacked x = {0};
	int r;

	c->acc.framing = "compressed";
	if (codecs[i].codec < 0) {
		tell(c, LOGS_PROBLEM_CODEC, 0, bytesrc_size(c->f->src),
		    codecs[i].name);
		return 0;
	}
	c->acc.decompressed = codecs[i].name;
	buf_init(&x.all, LIMIT_LOG_INFLATE);
	r = inflate(c, codecs[i].codec, &x);
	if (r >= 0 && x.n > 0) {
		if ((src = bytesrc_mem(x.p, x.n, c->e)) == NULL)
			r = ERR_NOMEM;
		else
			r = read_plain(c, l, src);
	}
	bytesrc_free(src);
	arena_free(x.first);
	buf_release(&x.all);
	return r;
}

static int
read_any(struct logs_ctx *c, struct logs *l)
{
	uint8_t head[6] = {0};
	size_t got;
	int r;

	if ((r = bytesrc_read_some(c->f->src, 0, head, sizeof(head), &got,
	    c->e)) < 0)
		return r;
	for (unsigned i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (got >= codecs[i].n && memcmp(head, codecs[i].magic,
		    codecs[i].n) == 0)
			return read_packed(c, l, i);
	return read_plain(c, l, c->f->src);
}

static bool
incomplete(const struct logs_account *a)
{
	static const enum logs_problem bad[] = {LOGS_PROBLEM_MALFORMED,
	    LOGS_PROBLEM_CUT, LOGS_PROBLEM_TOO_LONG, LOGS_PROBLEM_COMPRESSED,
	    LOGS_PROBLEM_CODEC, LOGS_PROBLEM_PAYLOAD,
	    LOGS_PROBLEM_SECRETS_FULL};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (a->problem[bad[i]] > 0)
			return true;
	return a->records == 0 && (a->problem[LOGS_PROBLEM_UNKNOWN] > 0 ||
	    a->problem[LOGS_PROBLEM_NO_REQUEST] > 0);
}

int
logs_read(struct logs *l, const struct logs_file *f, struct err *e)
{
	struct logs_ctx *c = &l->c;
	int r;

	c->e = e;
	c->f = f;
	c->acc = (struct logs_account){.path = f->path,
	    .path_len = f->path_len, .framing = "empty"};
	c->has_last = c->year_sought = c->has_outer = c->nested = false;
	c->year = c->month = 0;
	c->raw = NULL;
	c->raw_n = c->raw_off = c->raw_no = 0;
	c->stop = 0;
	if ((r = read_any(c, l)) < 0 ||
	    (r = c->p->ev->account(c->p->ev->ctx, &c->acc)) < 0)
		return r;
	return incomplete(&c->acc) ? 1 : 0;
}

int
logs_end(struct logs *l, struct err *e)
{
	static const struct logs_file none = {.path = "", .path_len = 0};
	struct logs_ctx *c = &l->c;
	int r = 0;

	c->e = e;
	c->f = &none;
	c->acc = (struct logs_account){.path = "", .framing = "waited"};
	c->stop = 0;
	framing_next(c);
	if (c->stop < 0 || (r = pairs_flush(c)) < 0)
		return c->stop < 0 ? c->stop : r;
	return c->acc.outside > 0 ? c->p->ev->account(c->p->ev->ctx,
	    &c->acc) : 0;
}
