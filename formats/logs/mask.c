#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/logs/secrets.h"
#include "formats/logs/shape.h"

/*
 * Secrets of a record: told by place and digest, replaced in its columns;
 * contents cut to what a frame holds.  Secrets are looked for in all of a
 * content before it is cut, so that no half of one stays.
 */
#define MASK_OPEN "[masked sha256:"
#define MASK_MOST (sizeof(MASK_OPEN) - 1 + 64 + 1)

static bool
digest(struct logs_ctx *c, const void *p, size_t n, uint8_t out[32])
{
	if (c->p->ev->sha256 == NULL || c->stop < 0)
		return false;
	c->stop = c->p->ev->sha256(c->p->ev->ctx, p, n, out, c->e);
	return c->stop >= 0;
}

void
mask_digest(struct logs_ctx *c, enum logs_column col, const void *p, size_t n)
{
	uint8_t *out = arena_alloc(c->scratch, 32);

	if (out != NULL && p != NULL && digest(c, p, n, out))
		fields_hex(&c->v[col], out, 32);
}

/* No memory: what cannot be masked does not stand in the record at all. */
static void
unmaskable(struct logs_ctx *c, enum logs_column col)
{
	c->v[col] = (struct field){0};
	tell(c, LOGS_PROBLEM_TOO_LONG, c->raw_off, c->raw_n,
	    logs_columns[col].key);
}

static void
secret(struct logs_ctx *c, const struct secrets_hit *h, const uint8_t *p,
    const char *column, uint64_t off, uint64_t len)
{
	const struct logs_secret s = {.kind = secrets_name(h->kind),
	    .path = c->f->path, .path_len = c->f->path_len,
	    .line = c->raw_no, .off = off, .len = len, .column = column,
	    .p = p + h->off, .n = h->len};

	if (c->secrets < sizeof(c->hit) / sizeof(c->hit[0])) {
		c->hit[c->secrets].p = s.p;
		c->hit[c->secrets].n = s.n;
	}
	c->secrets++;
	if (++c->acc.secrets > LIMIT_LOG_SECRETS) {
		tell_once(c, LOGS_PROBLEM_SECRETS_FULL, NULL);
		return;
	}
	if (c->stop >= 0)
		c->stop = c->p->ev->secret(c->p->ev->ctx, &s);
}

void
mask_raw(struct logs_ctx *c)
{
	struct secrets_hit h;
	size_t at = 0;

	c->secrets = 0;
	if (c->raw == NULL || c->p->content == LOGS_BARE)
		return;
	if (c->searched == c->raw && c->searched_n == c->raw_n &&
	    c->searched_off == c->raw_off) {
		/* A request more out of the same bytes. */
		c->secrets = c->raw_secrets;
		return;
	}
	while (secrets_next(c->raw, c->raw_n, &at, &h))
		secret(c, &h, c->raw, NULL, c->raw_off + h.off, h.len);
	c->searched = c->raw;
	c->searched_n = c->raw_n;
	c->searched_off = c->raw_off;
	c->raw_secrets = c->secrets;
	c->has_raw_sum = digest(c, c->raw, c->raw_n, c->raw_sum);
}

/* Was it told already, from the raw record? */
static bool
known(const struct logs_ctx *c, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < c->secrets && i < sizeof(c->hit) /
	    sizeof(c->hit[0]); i++)
		if (c->hit[i].n == n && memcmp(c->hit[i].p, p, n) == 0)
			return true;
	return false;
}

/* Cut back to where a character ends. */
static size_t
whole(const uint8_t *p, size_t n, size_t max)
{
	if (n <= max)
		return n;
	for (unsigned i = 0; i < 3 && max > 0 && (p[max] & 0xc0) == 0x80; i++)
		max--;
	return max;
}

static size_t
put_mask(struct logs_ctx *c, uint8_t *out, const uint8_t *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t sum[32];
	size_t k;

	if (!digest(c, p, n, sum)) {
		memcpy(out, "[masked]", 8);
		return 8;
	}
	k = sizeof(MASK_OPEN) - 1;
	memcpy(out, MASK_OPEN, k);
	for (unsigned i = 0; i < 32; i++) {
		out[k++] = (uint8_t)hex[sum[i] >> 4];
		out[k++] = (uint8_t)hex[sum[i] & 15];
	}
	out[k++] = ']';
	return k;
}

static void
whole_mask(struct logs_ctx *c, enum logs_column col, const uint8_t *p,
    size_t n)
{
	uint8_t *mask = arena_alloc(c->scratch, MASK_MOST);

	if (mask == NULL)
		unmaskable(c, col);
	else
		fields_text(&c->v[col], mask, put_mask(c, mask, p, n));
}

/* p[0..n) with masks instead of secrets, at most ${max} bytes. */
static void
masked(struct logs_ctx *c, enum logs_column col, const uint8_t *p, size_t n,
    size_t max, const struct logs_content_part *place)
{
	struct secrets_hit h;
	size_t at = 0, from = 0, k = 0, keep;
	uint8_t *out = NULL;

	if (place == NULL && known(c, p, n)) {
		/* A secret by the name that it has in the record. */
		whole_mask(c, col, p, n);
		return;
	}
	while (secrets_next(p, n, &at, &h)) {
		if (place != NULL && !known(c, p + h.off, h.len))
			secret(c, &h, p, logs_columns[col].key,
			    place->placed ? place->off : c->raw_off,
			    place->placed ? place->len : c->raw_n);
		if (out == NULL && (out = arena_alloc(c->scratch,
		    max + MASK_MOST)) == NULL) {
			unmaskable(c, col);
			return;
		}
		keep = h.off - from < max - k ? h.off - from : max - k;
		memcpy(out + k, p + from, keep);
		k += keep;
		if (k + MASK_MOST <= max)
			k += put_mask(c, out + k, p + h.off, h.len);
		else
			max = k;	/* no room: nothing behind it either */
		from = h.off + h.len;
	}
	if (out == NULL) {
		fields_text(&c->v[col], p, whole(p, n, max));
		return;
	}
	keep = whole(p + from, n - from, max - k);
	memcpy(out + k, p + from, keep);
	fields_text(&c->v[col], out, k + keep);
}

static void
content(struct logs_ctx *c, enum logs_column col, enum logs_column len,
    enum logs_column cut, enum logs_column sum,
    const struct logs_content_part *x)
{
	struct secrets_hit h;
	size_t at = 0;

	if (x->p == NULL)
		return;
	fields_u64(&c->v[len], x->n);
	if (c->p->content == LOGS_BARE) {
		fields_bool(&c->v[cut], x->n > c->content_max);
		fields_text(&c->v[col], x->p, whole(x->p, x->n,
		    c->content_max));
		return;
	}
	mask_digest(c, sum, x->p, x->n);
	if (c->p->content == LOGS_MASK) {
		fields_bool(&c->v[cut], true);
		whole_mask(c, col, x->p, x->n);
		while (secrets_next(x->p, x->n, &at, &h))
			if (!known(c, x->p + h.off, h.len))
				secret(c, &h, x->p, logs_columns[col].key,
				    x->placed ? x->off : c->raw_off,
				    x->placed ? x->len : c->raw_n);
		return;
	}
	fields_bool(&c->v[cut], x->n > LIMIT_LOG_CONTENT);
	masked(c, col, x->p, x->n, LIMIT_LOG_CONTENT, x);
}

static void
place(struct logs_ctx *c, enum logs_column off, enum logs_column len,
    const struct logs_content_part *x)
{
	if (!x->placed)
		return;
	fields_u64(&c->v[off], x->off);
	fields_u64(&c->v[len], x->len);
}

/* Who the caller is: all that LOGS_BARE masks. */
static bool
names_caller(enum logs_column col)
{
	return col == LOGS_CALLER || col == LOGS_CALLER_ID ||
	    col == LOGS_KEY_HASH || col == LOGS_END_USER ||
	    col == LOGS_CALLER_IP || col == LOGS_FORWARDED;
}

/* Columns whose words are ours. */
static bool
ours(enum logs_column col)
{
	return col == LOGS_KIND || col == LOGS_SHAPE || col == LOGS_TS_SRC ||
	    col == LOGS_TS_QUALITY || col == LOGS_TZ ||
	    col == LOGS_CALLER_SRC || col == LOGS_LATENCY_SRC ||
	    col == LOGS_INPUT || col == LOGS_INPUT_TYPE ||
	    col == LOGS_OUTPUT || col == LOGS_SOURCE ||
	    col == LOGS_DECOMPRESSED || col == LOGS_R_SOURCE ||
	    col == LOGS_CONTENT;
}

void
mask_columns(struct logs_ctx *c)
{
	const uint8_t *norm;
	size_t n;

	if (c->p->content != LOGS_BARE && c->in.p != NULL &&
	    canon_text(c->scratch, c->in.p, c->in.n, c->in.type, &norm, &n))
		mask_digest(c, LOGS_INPUT_NORM, norm, n);
	if (c->in.p != NULL && c->in.type != NULL)
		row_str(c, LOGS_INPUT_TYPE, c->in.type);
	content(c, LOGS_INPUT, LOGS_INPUT_LEN, LOGS_INPUT_CUT,
	    LOGS_INPUT_SHA256, &c->in);
	content(c, LOGS_OUTPUT, LOGS_OUTPUT_LEN, LOGS_OUTPUT_CUT,
	    LOGS_OUTPUT_SHA256, &c->out);
	place(c, LOGS_IN_OFF, LOGS_IN_LEN, &c->in);
	place(c, LOGS_OUT_OFF, LOGS_OUT_LEN, &c->out);
	for (unsigned i = 0; i < LOGS_COLUMNS; i++) {
		const struct field f = c->v[i];
		size_t max = LIMIT_LOG_FIELD;

		if (!f.set || logs_columns[i].type != FIELD_TEXT ||
		    ours((enum logs_column)i) ||
		    (c->p->content == LOGS_BARE && f.n <= LIMIT_LOG_FIELD &&
		    !names_caller((enum logs_column)i)))
			continue;
		if (i == LOGS_MESSAGE && c->p->content == LOGS_MASK) {
			whole_mask(c, LOGS_MESSAGE, f.p, f.n);
			continue;
		}
		if (i == LOGS_MESSAGE)
			max = LIMIT_LOG_MESSAGE;
		if (f.n > max)
			tell(c, LOGS_PROBLEM_FIELD_CUT, c->raw_off, c->raw_n,
			    logs_columns[i].key);
		masked(c, (enum logs_column)i, f.p, f.n, max, NULL);
	}
}
