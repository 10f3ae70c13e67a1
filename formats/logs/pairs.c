#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/logs/shape.h"

/*
 * Requests and responses that come apart.  A record that waits is packed:
 *
 *	u8 column, u32 length, bytes	TEXT, HEX, REALS
 *	u8 column, u64			the others
 *
 * in our own memory and byte order; nothing of it comes from elsewhere.
 */
#define PACK_MOST (LIMIT_FRAME + 64 * KIB)
#define PARTS_BYTES (4 * MIB)
#define PARTS_RECORDS 4096
#define SCOPE_MOST 512
/* A table takes entries of half its size. */
_Static_assert(2 * (PACK_MOST + LIMIT_LOG_FIELD + SCOPE_MOST + 64) <= MIB,
    "whatever is packed fits the smallest table");

enum half { HALF_REQUEST, HALF_RESPONSE, HALF_PART,
	HALF_OUTSIDE = 1 << 4 };	/* a flag: out of its window */

static bool
is_bytes(unsigned col)
{
	const enum field_type t = logs_columns[col].type;

	return t == FIELD_TEXT || t == FIELD_HEX || t == FIELD_REALS;
}

static size_t
bytes_of(unsigned col, const struct field *f)
{
	return logs_columns[col].type == FIELD_REALS ?
	    f->n * sizeof(double) : f->n;
}

static size_t
packed_size(const struct field v[LOGS_COLUMNS])
{
	size_t n = 0;

	for (unsigned i = 0; i < LOGS_COLUMNS; i++)
		if (v[i].set)
			n += is_bytes(i) ? 5 + bytes_of(i, &v[i]) : 9;
	return n;
}

static void
pack(uint8_t *out, const struct field v[LOGS_COLUMNS])
{
	uint32_t n;

	for (unsigned i = 0; i < LOGS_COLUMNS; i++) {
		if (!v[i].set)
			continue;
		*out++ = (uint8_t)i;
		if (!is_bytes(i)) {
			memcpy(out, &v[i].u, 8);
			out += 8;
			continue;
		}
		n = (uint32_t)bytes_of(i, &v[i]);
		memcpy(out, &n, 4);
		if (n > 0)
			memcpy(out + 4, v[i].p, n);
		out += 4 + n;
	}
}

/* A copy in the record's arena, columns that point into it. */
static bool
unpack(struct logs_ctx *c, const struct pending_record *r,
    struct field v[LOGS_COLUMNS])
{
	const uint8_t *p = (const uint8_t *)arena_dup(c->scratch, r->p, r->n);
	const uint8_t *end;
	double *reals;
	uint32_t n;

	memset(v, 0, LOGS_COLUMNS * sizeof(*v));
	if (p == NULL)
		return false;
	for (end = p + r->n; p < end;) {
		const unsigned col = *p++;

		v[col].set = true;
		if (!is_bytes(col)) {
			memcpy(&v[col].u, p, 8);
			p += 8;
			continue;
		}
		memcpy(&n, p, 4);
		v[col].p = p + 4;
		v[col].n = n;
		if (logs_columns[col].type == FIELD_REALS) {
			if ((reals = arena_alloc(c->scratch, n)) == NULL)
				return false;
			memcpy(reals, p + 4, n);
			fields_reals(&v[col], reals, n / sizeof(double));
		}
		p += 4 + n;
	}
	return true;
}

/* The response's place moves to columns of its own. */
static void
join(struct field request[LOGS_COLUMNS],
    const struct field response[LOGS_COLUMNS])
{
	static const enum logs_column place[][2] = {
	    {LOGS_SOURCE, LOGS_R_SOURCE}, {LOGS_LINE, LOGS_R_LINE},
	    {LOGS_RAW_OFF, LOGS_R_OFF}, {LOGS_RAW_LEN, LOGS_R_LEN},
	    {LOGS_RAW_SHA256, LOGS_R_SHA256}};
	const struct field *a = &request[LOGS_TS], *b = &response[LOGS_TS];
	const uint64_t secrets = request[LOGS_SECRETS].u +
	    response[LOGS_SECRETS].u;

	for (size_t i = 0; i < sizeof(place) / sizeof(place[0]); i++)
		request[place[i][1]] = response[place[i][0]];
	if (!request[LOGS_END].set && b->set)
		fields_i64(&request[LOGS_END], (int64_t)b->u);
	if (!request[LOGS_LATENCY].set && !response[LOGS_LATENCY].set &&
	    a->set && b->set && (int64_t)b->u >= (int64_t)a->u) {
		fields_u64(&request[LOGS_LATENCY],
		    ((b->u - a->u) + 500) / 1000);
		fields_text(&request[LOGS_LATENCY_SRC], "difference", 10);
	}
	for (unsigned i = 0; i < LOGS_COLUMNS; i++)
		if (!request[i].set && i < LOGS_SOURCE)
			request[i] = response[i];
	fields_text(&request[LOGS_KIND], "pair", 4);
	fields_u64(&request[LOGS_SECRETS], secrets);
}

/* The key of c->v: shape, scope and id. */
static bool
key_of(struct logs_ctx *c, struct pending_record *r)
{
	const struct field *id = &c->v[LOGS_REQ_ID];
	const size_t scope = c->scope.len < SCOPE_MOST ? c->scope.len :
	    SCOPE_MOST;
	uint8_t *key = arena_alloc(c->scratch, id->n + scope + 2);

	if (key == NULL)
		return false;
	key[0] = (uint8_t)c->shape;
	if (scope > 0)
		memcpy(key + 1, c->scope.buf, scope);
	key[1 + scope] = '\0';
	memcpy(key + scope + 2, id->p, id->n);
	r->key = key;
	r->key_n = id->n + scope + 2;
	return true;
}

static int
ready(struct logs_ctx *c, struct pending *t, size_t bytes, size_t records)
{
	if (c->p->pending >= MIB && c->p->pending < bytes) {
		bytes = c->p->pending;
		records = bytes / (4 * KIB);
	}
	return t->ring != NULL || pending_init(t, bytes, records, c->run) ?
	    0 : err_set(c->e, ERR_NOMEM, "out of memory");
}

static int
release(struct logs_ctx *c, const struct pending_record *r)
{
	struct field v[LOGS_COLUMNS];

	if (!unpack(c, r, v))
		return err_set(c->e, ERR_NOMEM, "out of memory");
	return emit_out(c, v, (r->half & HALF_OUTSIDE) != 0);
}

static int
wait(struct logs_ctx *c, struct pending_record *r)
{
	struct pending_record old;
	uint8_t *p;
	int rc;

	r->n = packed_size(c->v);
	if (r->n > PACK_MOST)
		return emit_out(c, c->v, (r->half & HALF_OUTSIDE) != 0);
	if ((p = arena_alloc(c->scratch, r->n)) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	pack(p, c->v);
	r->p = p;
	while (!pending_put(c->pending, r)) {
		if (!pending_oldest(c->pending, &old))
			continue;
		tell(c, LOGS_PROBLEM_PAIRS_FULL, c->raw_off, c->raw_n, NULL);
		if ((rc = release(c, &old)) < 0)
			return rc;
	}
	return 0;
}

int
pairs_put(struct logs_ctx *c, bool outside)
{
	const bool response = c->v[LOGS_KIND].n == 8;
	struct pending_record r = {.half = (uint8_t)((response ?
	    HALF_RESPONSE : HALF_REQUEST) | (outside ? HALF_OUTSIDE : 0))};
	struct pending_record other;
	struct field v[LOGS_COLUMNS];
	int rc;

	if ((rc = ready(c, c->pending, LIMIT_LOG_PENDING,
	    LIMIT_LOG_PENDING_RECORDS)) < 0)
		return rc;
	if (!key_of(c, &r))
		return err_set(c->e, ERR_NOMEM, "out of memory");
	if (!pending_take(c->pending, r.key, r.key_n, &other))
		return wait(c, &r);
	if (((other.half ^ r.half) & HALF_RESPONSE) == 0) {
		/* The same half again: the older one stays alone. */
		if ((rc = release(c, &other)) < 0)
			return rc;
		return wait(c, &r);
	}
	if (!unpack(c, &other, v))
		return err_set(c->e, ERR_NOMEM, "out of memory");
	if (response) {
		join(v, c->v);
		return emit_out(c, v, (other.half & HALF_OUTSIDE) != 0);
	}
	join(c->v, v);
	return emit_out(c, c->v, outside);
}

int
pairs_flush(struct logs_ctx *c)
{
	struct pending_record r;
	int rc = 0;

	while (rc >= 0 && pending_oldest(c->pending, &r))
		rc = release(c, &r);
	return rc;
}

bool
pairs_held(struct logs_ctx *c, const void *key, size_t n)
{
	struct pending_record r;

	return c->parts->count > 0 && pending_take(c->parts, key, n, &r) &&
	    unpack(c, &r, c->v);
}

static int
finish_oldest(struct logs_ctx *c)
{
	struct pending_record r;

	if (!pending_oldest(c->parts, &r))
		return 0;
	if (!unpack(c, &r, c->v))
		return err_set(c->e, ERR_NOMEM, "out of memory");
	return triton_finish(c);
}

int
pairs_hold(struct logs_ctx *c, const void *key, size_t n)
{
	struct pending_record r = {.key = key, .key_n = n, .half = HALF_PART,
	    .n = packed_size(c->v)};
	uint8_t *p;
	int rc;

	if (r.n + n > PACK_MOST) {
		tell(c, LOGS_PROBLEM_TOO_LONG, c->raw_off, c->raw_n,
		    "parts of a trace stand apart");
		return triton_finish(c);
	}
	if ((rc = ready(c, c->parts, PARTS_BYTES, PARTS_RECORDS)) < 0)
		return rc;
	if ((p = arena_alloc(c->scratch, r.n)) == NULL)
		return err_set(c->e, ERR_NOMEM, "out of memory");
	pack(p, c->v);
	r.p = p;
	while (!pending_put(c->parts, &r)) {
		tell(c, LOGS_PROBLEM_PAIRS_FULL, c->raw_off, c->raw_n, NULL);
		if ((rc = finish_oldest(c)) < 0)
			return rc;
	}
	return 0;
}

int
pairs_held_flush(struct logs_ctx *c)
{
	int rc = 0;

	while (rc >= 0 && c->parts->count > 0)
		rc = finish_oldest(c);
	return rc;
}
