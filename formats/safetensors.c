#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/config.h"
#include "formats/format.h"
#include "formats/pickle.h"
#include "formats/safetensors.h"

/*
 * safetensors (huggingface/safetensors, README "Format" and tensor.rs):
 *
 *	0 u64le N   8 N bytes of JSON   8+N data
 *
 * The header maps names to {dtype, shape, data_offsets}; "__metadata__" maps
 * text to text.  The reference reader demands that tensors tile the data
 * without gap or overlap; it ignores unknown fields and takes the last of
 * two equal names: what it does not see is what we look for.
 */
#define PREFIX 8
#define RANK_MAX 64	/* torch has no more; one tensor is kept at a time */

/* In the order of the reference's enum, which is the order of alignment. */
static const struct dtype {
	const char *name;
	unsigned bits;
} dtypes[] = {{"BOOL", 8}, {"F4", 4}, {"F6_E2M3", 6}, {"F6_E3M2", 6},
    {"U8", 8}, {"I8", 8}, {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16}, {"U16", 16},
    {"F16", 16}, {"BF16", 16}, {"I32", 32}, {"U32", 32}, {"F32", 32},
    {"C64", 64}, {"F64", 64}, {"I64", 64}, {"U64", 64}};

struct tensor {
	const char *name;
	size_t name_len;
	uint64_t off;		/* of its key in the file */
	const struct dtype *dtype;
	uint64_t shape[RANK_MAX];
	unsigned rank;
	uint64_t begin, end;	/* within the data */
	bool has_dtype, has_shape, has_offsets;
};

struct st {
	struct parse *p;
	struct json j;
	uint64_t header;	/* its length */
	uint64_t data;		/* bytes of data in the file */
	struct safetensors_table t;
};

static unsigned
st_bid(struct cursor head, uint64_t size)
{
	uint64_t n;
	uint8_t c;

	if (!cursor_u64le(&head, &n) || n < 2 || n > LIMIT_SAFETENSORS_HEADER)
		return 0;
	/* Readers allow blanks before the brace. */
	while (cursor_u8(&head, &c))
		if (c == '{')
			return n <= size ? 40 : 24;
		else if (c != ' ' && c != '\n' && c != '\t' && c != '\r')
			return 0;
	return 0;
}

static int
tell(struct st *s, enum anomaly id, uint64_t off, uint64_t len,
    const char *name, size_t name_len)
{
	const struct fact facts[] = {FACT_TEXT("name", name, name_len)};

	return format_anomaly(s->p, id, off, len, facts, name != NULL);
}

/* JSON that is not what it should be: told, and the file is left. */
static int
bad_json(struct st *s, int r)
{
	if (r != ERR_FORMAT && r != ERR_TRUNC && r != ERR_LIMIT)
		return r;
	err_reset(s->p->e);
	r = format_anomaly(s->p, r == ERR_LIMIT ? ANOMALY_LIMIT :
	    ANOMALY_ST_HEADER_JSON, reader_tell(s->j.r), 0, NULL, 0);
	return r < 0 ? r : 1;
}

static bool
key_is(const struct json_token *t, const char *name)
{
	return t->len == strlen(name) && memcmp(t->str, name, t->len) == 0;
}

static const struct dtype *
find_dtype(const struct json_token *t)
{
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
		if (key_is(t, dtypes[i].name))
			return &dtypes[i];
	return NULL;
}

/* An array of unsigned integers; *n of them.  1: something else. */
static int
read_numbers(struct st *s, uint64_t *ret, unsigned max, unsigned *n)
{
	struct json_token t;
	int r;

	*n = 0;
	if ((r = json_next(&s->j, &t, s->p->e)) < 0)
		return r;
	if (t.type != JSON_ARRAY)
		return (r = json_skip(&s->j, &t, s->p->e)) < 0 ? r : 1;
	for (;;) {
		if ((r = json_next(&s->j, &t, s->p->e)) < 0)
			return r;
		if (t.type == JSON_ARRAY_END)
			return 0;
		if (t.type != JSON_NUMBER || !t.is_u64 || *n == max)
			return 1;
		ret[(*n)++] = t.u64;
	}
}

/* Has this field stood here before?  The reference reader refuses. */
static bool
is_repeated(const struct tensor *t, const struct json_token *key)
{
	return (t->has_dtype && key_is(key, "dtype")) ||
	    (t->has_shape && key_is(key, "shape")) ||
	    (t->has_offsets && key_is(key, "data_offsets"));
}

/* One field of an entry.  1: it is not what the format says. */
static int
read_field(struct st *s, struct tensor *t, const struct json_token *key)
{
	struct json_token v;
	uint64_t offs[2] = {0};
	unsigned n = 0;
	int r = 0;

	/* Other readers take the last one. */
	if (is_repeated(t, key) && (r = tell(s, ANOMALY_ST_DUPLICATE_KEY,
	    key->off, key->len, key->str, key->len)) < 0)
		return r;
	if (key_is(key, "dtype")) {
		if ((r = json_next(&s->j, &v, s->p->e)) < 0)
			return r;
		if (v.type != JSON_STRING)
			return 1;
		t->has_dtype = true;
		return (t->dtype = find_dtype(&v)) == NULL;
	}
	if (key_is(key, "shape")) {
		t->has_shape = true;
		return read_numbers(s, t->shape, RANK_MAX, &t->rank);
	}
	if (key_is(key, "data_offsets")) {
		if ((r = read_numbers(s, offs, 2, &n)) != 0)
			return r;
		t->has_offsets = true;
		t->begin = offs[0];
		t->end = n == 2 ? offs[1] : 0;
		return n != 2;
	}
	if ((r = tell(s, ANOMALY_ST_UNKNOWN_FIELD, key->off, key->len,
	    key->str, key->len)) < 0)
		return r;
	return json_skip(&s->j, key, s->p->e);
}

/* 0 and *t, 1: not an entry (the JSON went on to its end or was left). */
static int
read_entry(struct st *s, struct tensor *t)
{
	struct json_token k;
	int r;

	if ((r = json_next(&s->j, &k, s->p->e)) < 0)
		return r;
	if (k.type != JSON_OBJECT)
		return (r = json_skip(&s->j, &k, s->p->e)) < 0 ? r : 1;
	for (;;) {
		if ((r = json_next(&s->j, &k, s->p->e)) < 0)
			return r;
		if (k.type == JSON_OBJECT_END)
			return !t->has_dtype || !t->has_shape ||
			    !t->has_offsets;
		if ((r = read_field(s, t, &k)) != 0)
			break;
	}
	if (r < 0)
		return r;
	/* Not an entry: pass over the rest of it. */
	while (s->j.depth > 1)
		if ((r = json_next(&s->j, &k, s->p->e)) < 0)
			return r;
	return 1;
}

/*
 * The reference reader multiplies the dimensions, then by the bits of one
 * element, and refuses what does not fit 64 bits or ends within a byte.
 */
static int
check_size(struct st *s, const struct tensor *t)
{
	struct fact facts[3];
	uint64_t bits = 1;
	bool fits = true;

	for (unsigned i = 0; i < t->rank; i++)
		fits = fits && ckd_mul64(&bits, bits, t->shape[i]);
	fits = fits && ckd_mul64(&bits, bits, t->dtype->bits);
	if (fits && bits % 8 == 0 && bits / 8 == t->end - t->begin)
		return 0;
	facts[0] = (struct fact)FACT_TEXT("name", t->name, t->name_len);
	facts[1] = (struct fact)FACT_NUM("bytes", t->end - t->begin);
	facts[2] = (struct fact)FACT_NUM("expected_bits", bits);
	return format_anomaly(s->p, ANOMALY_ST_SIZE_MISMATCH, t->off, 0,
	    facts, fits ? 3 : 2);
}

static int
take_tensor(struct st *s, const struct tensor *t)
{
	const struct ev_tensor ev = {t->name, t->name_len, t->dtype->name,
	    t->shape, t->rank, PREFIX + s->header + t->begin,
	    t->end - t->begin, NULL};
	struct safetensors_span span = {t->begin, t->end, s->t.names - 1,
	    (unsigned)(t->dtype - dtypes)};
	int r;

	if (t->end < t->begin)
		return tell(s, ANOMALY_ST_BAD_ENTRY, t->off, 0, t->name,
		    t->name_len);
	if (t->end > s->data) {
		/* What is there of it is the tensor's, and no tail. */
		span.end = s->data;
		r = tell(s, ANOMALY_ST_OUT_OF_FILE, t->off, 0, t->name,
		    t->name_len);
		return r < 0 || t->begin >= s->data ? r :
		    safetensors_add_span(s->p, &s->t, &span);
	}
	if ((r = check_size(s, t)) < 0 ||
	    (r = safetensors_add_span(s->p, &s->t, &span)) < 0 ||
	    (r = format_tensor(s->p, &ev)) < 0)
		return r;
	return pickle_embedded(s->p, ev.off, ev.len, "tensor",
	    PICKLE_IN_WEIGHTS);
}

static int
take_pair(struct st *s, const struct json_token *k)
{
	struct json_token v;
	int r;

	if ((r = safetensors_add_key(s->p, &s->t, k->str, k->len,
	    k->off)) < 0 || (r = json_next(&s->j, &v, s->p->e)) < 0)
		return r;
	if (v.type == JSON_STRING) {
		const struct config_value c = {.path = k->str,
		    .path_len = k->len, .key = k->str, .key_len = k->len,
		    .text = v.str, .len = v.len, .off = v.off};

		/* Some keep configuration here, and act on it. */
		return config_string(s->p, &c);
	}
	if ((r = tell(s, ANOMALY_ST_BAD_ENTRY, k->off, 0, k->str,
	    k->len)) < 0)
		return r;
	return json_skip(&s->j, &v, s->p->e);
}

/* The reference reader takes null for no metadata. */
static int
take_metadata(struct st *s)
{
	struct json_token k;
	int r;

	if ((r = json_next(&s->j, &k, s->p->e)) < 0 || k.type == JSON_NULL)
		return r;
	if (k.type != JSON_OBJECT) {
		if ((r = tell(s, ANOMALY_ST_BAD_ENTRY, k.off, 0,
		    "__metadata__", 12)) < 0)
			return r;
		return json_skip(&s->j, &k, s->p->e);
	}
	for (;;)
		if ((r = json_next(&s->j, &k, s->p->e)) < 0 ||
		    k.type == JSON_OBJECT_END ||
		    (r = take_pair(s, &k)) < 0)
			return r;
}

static int
take_entry(struct st *s, const struct json_token *key)
{
	struct tensor t = {.name = key->str, .name_len = key->len,
	    .off = key->off};
	int r;

	if ((r = safetensors_add_name(s->p, &s->t, key->str, key->len,
	    key->off)) < 0 || (r = read_entry(s, &t)) < 0)
		return r;
	if (r == 0)
		return take_tensor(s, &t);
	if (t.rank == RANK_MAX)
		return tell(s, ANOMALY_LIMIT, key->off, 0, key->str,
		    key->len);
	return tell(s, ANOMALY_ST_BAD_ENTRY, key->off, 0, key->str,
	    key->len);
}

/* Negative JSON errors are the file's; others are ours or the consumer's. */
static int
read_header(struct st *s)
{
	bool metadata = false;
	struct json_token t;
	int r;

	if ((r = json_next(&s->j, &t, s->p->e)) < 0)
		return r;
	if (t.type != JSON_OBJECT)
		return ERR_FORMAT;
	for (;;) {
		if ((r = json_next(&s->j, &t, s->p->e)) < 0 ||
		    t.type == JSON_OBJECT_END)
			return r;
		if (!key_is(&t, "__metadata__")) {
			r = take_entry(s, &t);
		} else {
			if (metadata)
				r = tell(s, ANOMALY_ST_DUPLICATE_KEY, t.off,
				    t.len, t.str, t.len);
			metadata = true;
			if (r >= 0)
				r = take_metadata(s);
		}
		if (r < 0)
			return r;
	}
}

/* After the JSON: blanks (0x20) are what writers pad with. */
static int
check_padding(struct st *s, struct reader *r)
{
	uint64_t off = reader_tell(r);
	bool odd = false, blank = true;
	uint8_t c;
	int rc;

	while (reader_left(r) > 0) {
		if ((rc = reader_u8(r, &c, s->p->e)) < 0)
			return rc;
		odd = odd || c != ' ';
		blank = blank && (c == ' ' || c == '\n' || c == '\t' ||
		    c == '\r');
	}
	if (!odd)
		return 0;
	rc = format_anomaly(s->p, blank ? ANOMALY_ST_PADDING :
	    ANOMALY_ST_HEADER_JSON, off, reader_tell(r) - off, NULL, 0);
	return rc < 0 ? rc : !blank;
}

static int
parse_header(struct st *s, const struct bytesrc *src)
{
	struct reader rd;
	uint64_t json;
	int r, pad;

	if ((r = reader_init(&rd, src, 0, s->p->window, s->p->arena,
	    s->p->e)) < 0)
		return r;
	rd.end = PREFIX + s->header;
	if ((r = reader_seek(&rd, PREFIX, s->p->e)) < 0)
		return r;
	json_open(&s->j, &rd, s->p->arena);
	if ((r = read_header(s)) < 0)
		return bad_json(s, r);
	json = reader_tell(&rd);
	if ((pad = check_padding(s, &rd)) < 0)
		return pad;
	if ((r = format_cover(s->p, 0, PREFIX + s->header)) < 0 ||
	    (r = safetensors_blanks(s->p, PREFIX, json)) < 0 ||
	    (r = safetensors_names(s->p, &s->t)) < 0 ||
	    (r = safetensors_account(s->p, &s->t, PREFIX + s->header,
	    s->data)) < 0)
		return r;
	return pad;
}

static int
st_parse(struct parse *p)
{
	struct st s = {.p = p};
	uint8_t raw[PREFIX];
	struct cursor c;
	int r;

	if (p->size < PREFIX || bytesrc_read(p->src, 0, raw, PREFIX, NULL) < 0)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	cursor_init(&c, raw, sizeof(raw), 0);
	if (!cursor_u64le(&c, &s.header))
		return 1;
	if (s.header > p->size - PREFIX ||
	    s.header > LIMIT_SAFETENSORS_HEADER) {
		const struct fact facts[] = {FACT_NUM("stated", s.header)};

		return (r = format_anomaly(p, ANOMALY_ST_HEADER_LENGTH, 0,
		    PREFIX, facts, 1)) < 0 ? r : 1;
	}
	s.data = p->size - PREFIX - s.header;
	return parse_header(&s, p->src);
}

const struct format format_safetensors = {
    .name = "safetensors",
    .kind = FORMAT_MODEL,
    .bid = st_bid,
    .parse = st_parse,
};
