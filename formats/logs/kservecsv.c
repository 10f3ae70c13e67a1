#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/base64.h"
#include "formats/logs/shape.h"

/*
 * KServe's store as CSV (RFC 4180): a line of names, then records.  There is
 * no time in it and no status: the object's mtime stands for the time, which
 * says "not later than".
 */
enum cell { C_BYTES, C_TYPE, C_REQTYPE, C_ID, C_SERVICE, C_NAMESPACE,
	C_COMPONENT, C_ENDPOINT, C_METADATA, CELLS };

static const char *const names[CELLS] = {"bytes", "contentType", "reqType",
    "id", "inferenceService", "namespace", "component", "endpoint",
    "metadata"};

#define COLUMNS_MOST 64

struct table {
	int column[COLUMNS_MOST];	/* which cell it is, or -1 */
	size_t columns;
};

bool
kservecsv_bid(const uint8_t *p, size_t n)
{
	const uint8_t *end = memchr(p, '\n', n);
	const size_t len = end != NULL ? (size_t)(end - p) : n;

	return len < 4096 && p[0] != '{' && p[0] != '[' &&
	    memmem(p, len, "reqType,", 8) != NULL &&
	    memmem(p, len, "bytes,", 6) != NULL;
}

/*
 * The cell at p[0..n): its text between *from and *to (quotes left out),
 * whether it had quotes, and what it took with the mark behind it.  0: it
 * does not end within n.
 */
static size_t
cell(const uint8_t *p, size_t n, size_t *from, size_t *to, bool *quoted)
{
	size_t i = 0;

	*quoted = n > 0 && p[0] == '"';
	if (*quoted) {
		for (i = 1; i < n; i++) {
			if (p[i] != '"')
				continue;
			if (i + 1 < n && p[i + 1] == '"') {
				i++;
				continue;
			}
			break;
		}
		if (i >= n)
			return 0;
		*from = 1;
		*to = i++;
	}
	if (!*quoted)
		*from = 0;
	while (i < n && p[i] != ',' && p[i] != '\n')
		i++;
	if (i >= n)
		return 0;
	if (!*quoted)
		*to = i;
	return i + 1;
}

static struct logs_content_part
text_of(struct logs_ctx *c, const uint8_t *p, size_t from, size_t to,
    bool quoted)
{
	struct logs_content_part x = {.p = p + from, .n = to - from,
	    .placed = true, .off = c->raw_off + (uint64_t)(p - c->raw) + from,
	    .len = to - from};
	uint8_t *out;
	size_t k = 0;

	if (x.n > 0 && x.p[x.n - 1] == '\r' && !quoted)
		x.n--;
	if (!quoted || memchr(x.p, '"', x.n) == NULL ||
	    (out = arena_alloc(c->scratch, x.n)) == NULL)
		return x;
	for (size_t i = 0; i < x.n; i++) {
		out[k++] = x.p[i];
		if (x.p[i] == '"' && i + 1 < x.n && x.p[i + 1] == '"')
			i++;
	}
	x.p = out;
	x.n = k;
	return x;
}

static void
metadata(struct logs_ctx *c, const struct logs_content_part *x)
{
	struct logs_content_part v;
	size_t used;
	uint32_t i;

	if (x->n == 0 || jdoc_parse(c->inner, x->p, x->n, &used) < 0)
		return;
	i = jdoc_get(c->inner, 0, "X-Forwarded-For");
	i = jdoc_is(c->inner, i, JDOC_ARRAY) ? jdoc_at(c->inner, i, 0) : i;
	if (i == JDOC_NONE)
		return;
	v = payload_part(c, c->inner, i, NULL);
	row_text(c, LOGS_FORWARDED, v.p, v.n);
}

static int
fill(struct logs_ctx *c, const struct logs_content_part v[CELLS])
{
	const struct logs_content_part *type = &v[C_REQTYPE];
	const bool response = type->n > 8 && memcmp(type->p + type->n - 8,
	    "response", 8) == 0;
	const uint8_t *p;
	size_t n;

	row_begin(c, SHAPE_kserve_csv);
	row_str(c, LOGS_KIND, response ? "response" : "request");
	row_text(c, LOGS_REQ_ID, v[C_ID].p, v[C_ID].n);
	row_text(c, LOGS_MODEL, v[C_SERVICE].p, v[C_SERVICE].n);
	row_text(c, LOGS_DEPLOYMENT, v[C_NAMESPACE].p, v[C_NAMESPACE].n);
	row_text(c, LOGS_OP, v[C_COMPONENT].p, v[C_COMPONENT].n);
	row_text(c, LOGS_ENDPOINT, v[v[C_ENDPOINT].n > 0 ? C_ENDPOINT :
	    C_SERVICE].p, v[v[C_ENDPOINT].n > 0 ? C_ENDPOINT : C_SERVICE].n);
	metadata(c, &v[C_METADATA]);
	row_mtime(c);
	if (v[C_BYTES].n > 0 && base64_decode(c->scratch, v[C_BYTES].p,
	    v[C_BYTES].n, BASE64_MILD, &p, &n) < 0)
		tell(c, LOGS_PROBLEM_PAYLOAD, c->raw_off, c->raw_n, "base64");
	else if (v[C_BYTES].n > 0)
		payload_bytes(c, response, p, n, (const char *)v[C_TYPE].p,
		    v[C_TYPE].n, &v[C_BYTES]);
	return emit_row(c);
}

/* Bytes of the record at p[0..n), its line feed too; 0: it does not end. */
static size_t
extent(const uint8_t *p, size_t n)
{
	size_t i = 0, from, to, used;
	bool quoted;

	while (i < n) {
		if ((used = cell(p + i, n - i, &from, &to, &quoted)) == 0)
			return 0;
		i += used;
		if (p[i - 1] == '\n')
			return i;
	}
	return 0;
}

static int
record(struct logs_ctx *c, struct table *t, bool head)
{
	struct logs_content_part v[CELLS] = {{0}}, x;
	size_t i = 0, from, to, used;
	bool quoted;

	for (size_t col = 0; i < c->raw_n; col++, i += used) {
		used = cell(c->raw + i, c->raw_n - i, &from, &to, &quoted);
		if (used == 0)
			break;
		x = text_of(c, c->raw + i, from, to, quoted);
		if (!head) {
			if (col < t->columns && t->column[col] >= 0)
				v[t->column[col]] = x;
			continue;
		}
		if (col >= COLUMNS_MOST)
			break;
		t->column[col] = -1;
		t->columns = col + 1;
		for (int k = 0; k < CELLS; k++)
			if (x.n == strlen(names[k]) &&
			    memcmp(x.p, names[k], x.n) == 0)
				t->column[col] = k;
	}
	if (head)
		return 1;
	c->raw_n--;	/* the line end is no part of it */
	if (c->raw_n > 0 && c->raw[c->raw_n - 1] == '\r')
		c->raw_n--;
	return fill(c, v);
}

/* The bytes of the next record: 1, 0 at the end, 2 it cannot be had. */
static int
next(struct logs_ctx *c, size_t *n)
{
	size_t have, want = 1;
	int r;

	for (;;) {
		if ((r = lines_ready(&c->lines, want, &have, c->e)) < 0)
			return r;
		c->raw = c->lines.buf + c->lines.pos;
		c->raw_off = lines_tell(&c->lines);
		c->raw_no = c->lines.no + 1;
		if (have == 0)
			return 0;
		if ((*n = extent(c->raw, have)) > 0)
			break;
		if (have < want || have >= LIMIT_LOG_RECORD) {
			/* The rest of the file is not read. */
			tell(c, have < want ? LOGS_PROBLEM_CUT :
			    LOGS_PROBLEM_TOO_LONG, c->raw_off,
			    bytesrc_size(c->lines.src) - c->raw_off, "table");
			return 2;
		}
		want = have + 1;
	}
	c->raw_n = *n;
	return 1;
}

int
kservecsv_read(struct logs_ctx *c)
{
	struct table t = {.columns = 0};
	bool head = true;
	size_t n;
	int r;

	for (;;) {
		framing_next(c);
		if ((r = next(c, &n)) != 1)
			return r < 0 ? r : 0;
		if (n > 1 || c->raw[0] != '\n')
			r = record(c, &t, head);
		if (r < 0)
			return r;
		head = false;
		lines_pass(&c->lines, n);
	}
}
