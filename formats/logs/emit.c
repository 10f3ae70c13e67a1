#include <string.h>

#include "base/err.h"
#include "formats/logs/shape.h"

/*
 * The end of every record: what all have in common, then to its other half
 * or out.
 */
static const bool pairing[] = {
#define SHAPE(symbol, name, family, pairs) pairs,
#include "formats/logs/shapes.def"
#undef SHAPE
};

/* Who: what names a person or key first, an address last. */
static void
caller(struct logs_ctx *c)
{
	static const enum logs_column from[] = {LOGS_CALLER_ID, LOGS_KEY_HASH,
	    LOGS_END_USER, LOGS_CALLER_IP, LOGS_FORWARDED};

	if (c->v[LOGS_CALLER].set) {
		row_str(c, LOGS_CALLER_SRC, "caller");
		return;
	}
	for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
		if (c->v[from[i]].set) {
			c->v[LOGS_CALLER] = c->v[from[i]];
			row_str(c, LOGS_CALLER_SRC,
			    logs_columns[from[i]].key);
			return;
		}
}

void
emit_raw(struct logs_ctx *c)
{
	mask_raw(c);
	if (c->v[LOGS_RAW_OFF].set)
		return;
	fields_u64(&c->v[LOGS_LINE], c->raw_no);
	fields_u64(&c->v[LOGS_RAW_OFF], c->raw_off);
	fields_u64(&c->v[LOGS_RAW_LEN], c->raw_n);
	if (c->raw != NULL && c->has_raw_sum)
		fields_hex(&c->v[LOGS_RAW_SHA256], c->raw_sum, 32);
}

static void
account(struct logs_ctx *c)
{
	const struct field *ts = &c->v[LOGS_TS];
	const int64_t ns = (int64_t)ts->u;

	c->acc.records++;
	c->acc.shape[c->shape]++;
	if (!ts->set) {
		c->acc.undated++;
		return;
	}
	if (!c->acc.has_first || ns < c->acc.first_ns)
		c->acc.first_ns = ns;
	if (!c->acc.has_first || ns > c->acc.last_ns)
		c->acc.last_ns = ns;
	c->acc.has_first = true;
}

static bool
is(const struct field *f, const char *text)
{
	return f->set && f->n == strlen(text) && memcmp(f->p, text, f->n) == 0;
}

/* Out of the window of its file? */
static bool
outside(const struct logs_ctx *c)
{
	const struct logs_file *f = c->f;
	const int64_t ns = (int64_t)c->v[LOGS_TS].u;

	if (!c->v[LOGS_TS].set)
		return false;
	if (f->has_since && ns < f->since_ns)
		return true;
	return f->has_until && ns >= f->until_ns &&
	    !is(&c->v[LOGS_TS_QUALITY], "object-mtime");
}

int
emit_row(struct logs_ctx *c)
{
	return emit_row_with(c, 0);
}

int
emit_row_with(struct logs_ctx *c, uint64_t secrets)
{
	bool half;
	int r;

	emit_raw(c);
	if (!c->v[LOGS_KIND].set)
		row_str(c, LOGS_KIND, "pair");
	row_str(c, LOGS_SHAPE, logs_shape_name(c->shape));
	row_text(c, LOGS_SOURCE, c->f->path, c->f->path_len < LIMIT_PATH ?
	    c->f->path_len : LIMIT_PATH);
	if (c->acc.decompressed != NULL)
		row_str(c, LOGS_DECOMPRESSED, c->acc.decompressed);
	row_str(c, LOGS_CONTENT, c->p->content == LOGS_MASK ? "masked" :
	    "kept");
	if (c->has_outer && !c->v[LOGS_ENDPOINT].set)
		row_sub(c, LOGS_ENDPOINT, c->journal_unit);
	if (c->has_outer && !c->v[LOGS_DEPLOYMENT].set)
		row_sub(c, LOGS_DEPLOYMENT, c->journal_host);
	caller(c);
	textline_model(c);
	half = is(&c->v[LOGS_KIND], "request") ||
	    is(&c->v[LOGS_KIND], "response");
	half = half && pairing[c->shape] && c->v[LOGS_REQ_ID].set;
	/* What waits for its other half is packed. */
	c->content_max = c->p->content == LOGS_BARE && !half ?
	    LIMIT_LOG_BARE : LIMIT_LOG_CONTENT;
	mask_columns(c);
	fields_u64(&c->v[LOGS_SECRETS], c->secrets + secrets);
	account(c);
	if (c->stop < 0)
		return c->stop;
	if (half)
		r = pairs_put(c, outside(c));
	else
		r = emit_out(c, c->v, outside(c));
	return r < 0 ? r : 1;
}

int
emit_out(struct logs_ctx *c, const struct field v[LOGS_COLUMNS], bool outside)
{
	const struct field *scores = &v[LOGS_SCORES];
	struct logs_record r;

	if (outside) {
		c->acc.outside++;
		return 0;
	}
	memcpy(r.v, v, sizeof(r.v));
	r.classes = scores->set && scores->p == c->scores &&
	    scores->n == c->nclasses ? c->classes : NULL;
	return c->p->ev->record(c->p->ev->ctx, &r);
}
