#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "tests/lib/logs_case.h"

static int
counted(struct logs_case *c)
{
	return c->stop_after > 0 && --c->stop_after == 0 ? ERR_STOP : 0;
}

static int
record(void *ctx, const struct logs_record *r)
{
	struct logs_case *c = ctx;
	struct json_write w;
	char when[CLOCK_TEXT];

	c->records++;
	json_init(&w, &c->out, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "request");
	json_kstr(&w, "time", r->v[LOGS_TS].set ? clock_rfc3339(when,
	    (int64_t)r->v[LOGS_TS].u, 9) : NULL);
	fields_json(&w, logs_columns, LOGS_COLUMNS, r->v);
	json_end_object(&w);
	buf_putc(&c->out, '\n');
	return counted(c);
}

static int
problem(void *ctx, const struct logs_told *t)
{
	struct logs_case *c = ctx;
	struct json_write w;

	c->problems++;
	c->problem[t->id]++;
	json_init(&w, &c->out, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "problem");
	json_kstr(&w, "problem", logs_problem_id(t->id));
	json_ktext(&w, "source", t->path, t->path_len);
	json_ku64(&w, "line_no", t->line);
	json_ku64(&w, "off", t->off);
	json_ku64(&w, "len", t->len);
	json_kstr(&w, "what", t->what);
	json_end_object(&w);
	buf_putc(&c->out, '\n');
	return counted(c);
}

static int
secret(void *ctx, const struct logs_secret *s)
{
	struct logs_case *c = ctx;
	struct json_write w;

	c->secrets++;
	json_init(&w, &c->out, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "secret");
	json_kstr(&w, "kind", s->kind);
	json_kstr(&w, "column", s->column);
	json_ku64(&w, "off", s->off);
	json_ku64(&w, "len", s->len);
	json_ku64(&w, "n", s->n);
	json_end_object(&w);
	buf_putc(&c->out, '\n');
	return counted(c);
}

static int
account(void *ctx, const struct logs_account *a)
{
	struct logs_case *c = ctx;
	struct json_write w;

	c->files++;
	json_init(&w, &c->out, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "log");
	json_ktext(&w, "source", a->path, a->path_len);
	json_kstr(&w, "framing", a->framing);
	json_kstr(&w, "decompressed", a->decompressed);
	json_ku64(&w, "bytes", a->bytes);
	json_ku64(&w, "records", a->records);
	json_ku64(&w, "outside", a->outside);
	json_ku64(&w, "undated", a->undated);
	json_ku64(&w, "secrets", a->secrets);
	json_end_object(&w);
	buf_putc(&c->out, '\n');
	return counted(c);
}

static int
sha256(void *ctx, const void *p, size_t n, uint8_t out[32], struct err *e)
{
	struct digests d;
	int r = digest_mem(p, n, DIGEST_SHA256, &d, e);

	(void)ctx;
	if (r >= 0)
		memcpy(out, d.sha256, 32);
	return r;
}

void
logs_case_init(struct logs_case *c)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->out, 64 * MIB);
	c->ev = (struct logs_events){.record = record, .problem = problem,
	    .secret = secret, .account = account, .sha256 = sha256,
	    .ctx = c};
	c->p.ev = &c->ev;
}

void
logs_case_release(struct logs_case *c)
{
	buf_release(&c->out);
}

struct logs *
logs_case_open(struct logs_case *c)
{
	struct err e = ERR_INIT;
	struct logs *l;

	buf_clear(&c->out);
	c->records = c->problems = c->secrets = c->files = 0;
	memset(c->problem, 0, sizeof(c->problem));
	c->rc = 0;
	l = logs_new(&c->p, &e);
	if (l == NULL)
		c->rc = e.code;
	return l;
}

void
logs_case_file(struct logs_case *c, struct logs *l, const char *path,
    const void *p, size_t n, int64_t mtime_ns)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	const struct logs_file f = {.path = path, .path_len = strlen(path),
	    .src = src, .mtime_ns = mtime_ns, .has_since = c->has_since,
	    .since_ns = c->since_ns};
	int r = src != NULL ? logs_read(l, &f, NULL) : ERR_NOMEM;

	if (c->rc >= 0 && r != 0)
		c->rc = r;
	bytesrc_free(src);
}

void
logs_case_close(struct logs_case *c, struct logs *l)
{
	int r = c->rc < 0 ? 0 : logs_end(l, NULL);

	if (r < 0)
		c->rc = r;
	logs_free(l);
}

void
logs_case_run(struct logs_case *c, const char *path, const void *p, size_t n,
    int64_t mtime_ns)
{
	struct logs *l = logs_case_open(c);

	if (l == NULL)
		return;
	logs_case_file(c, l, path, p, n, mtime_ns);
	logs_case_close(c, l);
}

uint8_t *
logs_case_load(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;

	if (f == NULL || (p = malloc(4 * MIB)) == NULL)
		abort();
	*n = fread(p, 1, 4 * MIB, f);
	(void)fclose(f);
	return p;
}
