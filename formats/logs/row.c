#include <math.h>
#include <string.h>

#include "formats/logs/shape.h"

/*
 * Columns of one record.  Text is borrowed: from the record's bytes, or from
 * the record's arena.
 */
void
row_begin(struct logs_ctx *c, enum logs_shape_row shape)
{
	memset(c->v, 0, sizeof(c->v));
	c->in = c->out = (struct logs_content_part){0};
	c->nclasses = 0;
	c->scope = (struct cursor){0};
	c->shape = shape;
}

void
row_text(struct logs_ctx *c, enum logs_column col, const void *p, size_t n)
{
	if (p == NULL || n == 0)
		return;
	fields_text(&c->v[col], p, n);
}

void
row_str(struct logs_ctx *c, enum logs_column col, const char *s)
{
	row_text(c, col, s, strlen(s));
}

void
row_sub(struct logs_ctx *c, enum logs_column col, struct cursor s)
{
	if (s.len == 1 && s.buf[0] == '-')
		return;
	row_text(c, col, s.buf, s.len);
}

bool
row_node(struct logs_ctx *c, enum logs_column col, uint32_t i)
{
	const uint8_t *p;
	size_t n;

	if (!jdoc_scalar(c->d, i, c->scratch, &p, &n) || n == 0 ||
	    (n == 1 && p[0] == '-'))
		return false;
	row_text(c, col, p, n);
	return true;
}

bool
row_get(struct logs_ctx *c, enum logs_column col, const char *path)
{
	return row_node(c, col, jdoc_path(c->d, c->obj, path));
}

bool
row_first(struct logs_ctx *c, enum logs_column col, uint32_t i)
{
	while (jdoc_is(c->d, i, JDOC_ARRAY))
		i = jdoc_at(c->d, i, 0);
	return row_node(c, col, i);
}

bool
row_count(struct logs_ctx *c, enum logs_column col, const char *path)
{
	const uint32_t i = jdoc_path(c->d, c->obj, path);
	double d;
	uint64_t u;

	if (jdoc_u64(c->d, i, &u)) {
		fields_u64(&c->v[col], u);
		return true;
	}
	/* 41.0: writers that know only doubles. */
	if (!jdoc_real(c->d, i, &d) || !(d >= 0) || d > 9e15 || d != floor(d))
		return false;
	fields_u64(&c->v[col], (uint64_t)d);
	return true;
}

void
row_latency_us(struct logs_ctx *c, double us, const char *src)
{
	if (!(us >= 0) || us > 9e15)
		return;
	fields_u64(&c->v[LOGS_LATENCY], (uint64_t)(us + 0.5));
	row_str(c, LOGS_LATENCY_SRC, src);
}

bool
row_latency(struct logs_ctx *c, const char *path, double us)
{
	double d;

	if (!jdoc_real(c->d, jdoc_path(c->d, c->obj, path), &d) || !(d >= 0))
		return false;
	row_latency_us(c, d * us, path);
	return true;
}
