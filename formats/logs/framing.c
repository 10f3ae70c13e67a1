#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/logs/fieldmap.h"
#include "formats/logs/shape.h"

/*
 * A file as records: lines, each of JSON or text; a JSON array; JSON values
 * over several lines; or what its first line says.
 */
#define SCRATCH_CAP (192 * MIB)
#define SCRATCH_FULL (4 * MIB)

#define SHAPE_JSON(symbol, name) {name, symbol##_json, NULL},
#define SHAPE_TEXT(symbol, name) {name, NULL, symbol##_text},
#define SHAPE_FRAMED(symbol, name) {name, NULL, NULL},
static const struct logs_shape shapes[] = {
#define SHAPE(symbol, name, family, pairs) SHAPE_##family(symbol, name)
#include "formats/logs/shapes.def"
#undef SHAPE
};

unsigned
logs_shapes(void)
{
	return SHAPES;
}

const char *
logs_shape_name(unsigned i)
{
	return i < SHAPES ? shapes[i].name : NULL;
}

void
framing_next(struct logs_ctx *c)
{
	c->placed = false;
	c->raw = c->searched = NULL;
	c->raw_n = 0;
	if (c->scratch != NULL && arena_used(c->scratch) <= SCRATCH_FULL)
		return;
	arena_free(c->scratch);
	arena_free(c->of_part);
	c->of_part = NULL;
	if ((c->scratch = arena_new(SCRATCH_CAP)) == NULL)
		c->stop = err_set(c->e, ERR_NOMEM, "out of memory");
}

/*
 * A record may have as many parts as fit into it, and what each takes must
 * not add up: they take turns in an arena of what the record's has left.
 */
static bool
part_arena(struct logs_ctx *c)
{
	if (c->of_part != NULL && arena_used(c->of_part) <= SCRATCH_FULL)
		return true;
	arena_free(c->of_part);
	c->of_part = arena_new(arena_left(c->scratch));
	return c->of_part != NULL;
}

/* Does the object have anything that the caller has mapped? */
static bool
mapped(struct logs_ctx *c)
{
	const char *path;

	for (unsigned i = 0; c->map->given > 0 && i < FIELDMAP_ROWS; i++) {
		path = c->map->path[i];
		if (path != NULL && *path != '\0' &&
		    jdoc_path(c->d, c->obj, path) != JDOC_NONE)
			return true;
	}
	return false;
}

int
framing_object(struct logs_ctx *c, uint32_t obj)
{
	int r = 0;

	c->obj = obj;
	if (mapped(c))
		return generic_json(c);
	for (unsigned i = 0; i < SHAPES && r == 0; i++)
		if (shapes[i].json != NULL)
			r = shapes[i].json(c);
	return r;
}

int
framing_text(struct logs_ctx *c, struct cursor line)
{
	int r = 0;

	for (unsigned i = 0; i < SHAPES && r == 0; i++)
		if (shapes[i].text != NULL)
			r = shapes[i].text(c, line);
	return r;
}

int
framing_part(struct logs_ctx *c, uint32_t i, int (*fill)(struct logs_ctx *c))
{
	const struct jnode *v = &c->d->v[i];
	const uint8_t *raw = c->raw;
	const uint64_t n = c->raw_n, off = c->raw_off;
	const uint32_t obj = c->obj;
	struct arena *whole = c->scratch;
	int r;

	if (!part_arena(c))
		return err_set(c->e, ERR_NOMEM, "out of memory");
	c->scratch = c->of_part;
	c->obj = i;
	if (c->placed) {
		c->raw = c->d->p + v->off;
		c->raw_n = v->len;
		c->raw_off = c->base + v->off;
	}
	r = fill(c);
	c->scratch = whole;
	c->obj = obj;
	c->raw = raw;
	c->raw_n = n;
	c->raw_off = off;
	return r;
}

/* c->d was parsed from p, which stands at ${off} of the file. */
static int
document(struct logs_ctx *c, const uint8_t *p, uint64_t n, uint64_t off)
{
	int r = 0;

	c->raw = p;
	c->raw_n = n;
	c->raw_off = off;
	c->base = off;
	c->placed = true;
	if (jdoc_is(c->d, 0, JDOC_OBJECT))
		r = framing_object(c, 0);
	if (r == 0)
		tell(c, LOGS_PROBLEM_NO_REQUEST, off, n, NULL);
	if (c->d->doubles)
		tell(c, LOGS_PROBLEM_DOUBLE_KEY, off, n, NULL);
	if (c->d->odd)
		tell(c, LOGS_PROBLEM_BINARY, off, n, "in a JSON string");
	return r < 0 ? r : c->stop;
}

static void
refused(struct logs_ctx *c, int why, uint64_t off, uint64_t n, bool ended)
{
	tell(c, why == ERR_LIMIT || why == ERR_NOMEM ?
	    LOGS_PROBLEM_TOO_LONG : why == ERR_TRUNC && !ended ?
	    LOGS_PROBLEM_CUT : LOGS_PROBLEM_MALFORMED, off, n, "JSON");
}

/* A line of JSON: one document, or several behind each other. */
static int
json_line(struct logs_ctx *c, const struct lines_record *rec)
{
	uint64_t at = 0;
	size_t used;
	int r = 0, rc;

	while (at < rec->n && r >= 0) {
		rc = jdoc_parse(c->d, rec->p + at, rec->n - at, &used);
		if (rc < 0) {
			refused(c, rc, rec->off + at, rec->n - at, rec->ended);
			return 0;
		}
		r = document(c, rec->p + at, used, rec->off + at);
		for (at += used; at < rec->n && (rec->p[at] == ' ' ||
		    rec->p[at] == '\t' || rec->p[at] == ',');)
			at++;
		if (at < rec->n && rec->p[at] != '{') {
			tell(c, LOGS_PROBLEM_MALFORMED, rec->off + at,
			    rec->n - at, "behind a JSON value");
			break;
		}
	}
	return r;
}

/* Bytes that no text has. */
static bool
binary(const uint8_t *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		if (p[i] < 0x20 && p[i] != '\t' && p[i] != '\r' &&
		    p[i] != 0x1b)
			return true;
	return false;
}

static int
text_line(struct logs_ctx *c, const struct lines_record *rec)
{
	struct cursor line;
	int r;

	c->raw = rec->p;
	c->raw_n = rec->n;
	c->placed = true;
	cursor_init(&line, rec->p, rec->n, rec->off);
	if (binary(rec->p, rec->n))
		tell(c, LOGS_PROBLEM_BINARY, rec->off, rec->n, NULL);
	r = framing_text(c, line);
	if (r == 0)
		tell(c, rec->ended ? LOGS_PROBLEM_UNKNOWN : LOGS_PROBLEM_CUT,
		    rec->off, rec->n, NULL);
	return r;
}

static int
one_line(struct logs_ctx *c, struct lines_record rec)
{
	uint64_t zeros = 0;

	framing_next(c);
	c->raw_off = rec.off;
	c->raw_no = rec.no;
	if (rec.p == NULL) {
		tell(c, LOGS_PROBLEM_TOO_LONG, rec.off, rec.n, "line");
		return 0;
	}
	/* A log that was truncated while it was written begins with zeros. */
	while (zeros < rec.n && rec.p[zeros] == 0)
		zeros++;
	if (zeros > 0)
		tell(c, LOGS_PROBLEM_BINARY, rec.off, zeros, "zero bytes");
	rec.p += zeros;
	rec.n -= zeros;
	rec.off += zeros;
	while (rec.n > 0 && (rec.p[0] == ' ' || rec.p[0] == '\t')) {
		rec.p++;
		rec.n--;
		rec.off++;
	}
	c->raw_off = rec.off;
	if (rec.n == 0)
		return 0;
	return rec.p[0] == '{' ? json_line(c, &rec) : text_line(c, &rec);
}

static int
read_lines(struct logs_ctx *c)
{
	struct lines_record rec;
	int r;

	while ((r = lines_next(&c->lines, &rec, c->e)) == 1)
		if ((r = one_line(c, rec)) < 0 || (r = c->stop) < 0)
			return r;
	return r;
}

/* One value, told when it is none; 1, 0 at the end or when it is hopeless. */
static int
one_value(struct logs_ctx *c)
{
	struct lines_record rec;
	int r;

	framing_next(c);
	if ((r = lines_value(&c->lines, c->d, &rec, c->e)) <= 0)
		return r;
	c->raw_no = rec.no;
	c->raw_off = rec.off;
	if (r != 1) {
		refused(c, r == 3 ? ERR_TRUNC : r == 4 ? ERR_LIMIT :
		    ERR_FORMAT, rec.off, bytesrc_size(c->lines.src) - rec.off,
		    false);
		return 0;
	}
	r = document(c, rec.p, rec.n, rec.off);
	return r < 0 ? r : 1;
}

static int
next_byte(struct logs_ctx *c, uint8_t *b)
{
	size_t have;
	int r;

	for (;;) {
		if ((r = lines_ready(&c->lines, 1, &have, c->e)) < 0)
			return r;
		if (have == 0)
			return 0;
		*b = c->lines.buf[c->lines.pos];
		if (*b != ' ' && *b != '\n' && *b != '\r' && *b != '\t')
			return 1;
		lines_pass(&c->lines, 1);
	}
}

/* Behind the '[': values and commas to the ']'. */
static int
read_array(struct logs_ctx *c)
{
	uint8_t b;
	int r;

	for (;;) {
		if ((r = next_byte(c, &b)) <= 0)
			break;
		if (b == ']') {
			lines_pass(&c->lines, 1);
			return 0;
		}
		if (b == ',') {
			lines_pass(&c->lines, 1);
			continue;
		}
		if ((r = one_value(c)) <= 0 || (r = c->stop) < 0)
			return r;
	}
	c->raw_off = lines_tell(&c->lines);
	if (r == 0)
		tell(c, LOGS_PROBLEM_CUT, c->raw_off, 0,
		    "an array does not end");
	return r;
}

static int
read_values(struct logs_ctx *c)
{
	int r;

	while ((r = one_value(c)) == 1 && c->stop >= 0)
		continue;
	return r < 0 ? r : c->stop;
}

/* The first line is JSON, and not whole: values of several lines. */
static bool
spread(struct logs_ctx *c, const uint8_t *p, size_t n)
{
	const uint8_t *end = memchr(p, '\n', n);
	size_t used;

	return end != NULL && jdoc_parse(c->d, p, (size_t)(end - p), &used) ==
	    ERR_TRUNC;
}

/* '[' or {"Records": [; bytes up to behind the '['; 0: no array. */
static size_t
array_head(const uint8_t *p, size_t n)
{
	static const char records[] = "{\"Records\":[";
	size_t i = 0, k;

	for (k = 0; k < sizeof(records) - 1 && i < n; i++) {
		if (p[i] == (uint8_t)records[k])
			k++;
		else if (p[i] != ' ' && p[i] != '\n' && p[i] != '\r')
			break;
	}
	if (k == sizeof(records) - 1)
		return i;
	if (n == 0 || p[0] != '[')
		return 0;
	for (i = 1; i < n && (p[i] == ' ' || p[i] == '\n' || p[i] == '\r' ||
	    p[i] == '\t'); i++)
		continue;
	return i >= n || p[i] == '{' || p[i] == ']' ? 1 : 0;
}

static int
after_array(struct logs_ctx *c)
{
	uint8_t b;
	int r = next_byte(c, &b);

	if (r == 1 && b == '}') {
		lines_pass(&c->lines, 1);
		r = next_byte(c, &b);
	}
	if (r == 1)
		tell(c, LOGS_PROBLEM_MALFORMED, lines_tell(&c->lines), 0,
		    "behind the array");
	return r < 0 ? r : 0;
}

static int
dispatch(struct logs_ctx *c, const uint8_t *p, size_t n)
{
	const size_t head = array_head(p, n);
	int r;

	if (head > 0) {
		c->acc.framing = "json-array";
		lines_pass(&c->lines, head);
		r = read_array(c);
		return r < 0 ? r : after_array(c);
	}
	if (p[0] == '{' && spread(c, p, n)) {
		c->acc.framing = "json-values";
		return read_values(c);
	}
	if (httpdump_bid(p, n)) {
		c->acc.framing = "http";
		return httpdump_read(c);
	}
	if (kservecsv_bid(p, n)) {
		c->acc.framing = "csv";
		return kservecsv_read(c);
	}
	if (journal_bid(p, n)) {
		c->acc.framing = "journal-export";
		return journal_read(c);
	}
	c->acc.framing = "lines";
	return read_lines(c);
}

int
framing_run(struct logs_ctx *c)
{
	size_t have;
	uint8_t b;
	int r;

	framing_next(c);
	if ((r = lines_ready(&c->lines, 64 * KIB, &have, c->e)) < 0)
		return r;
	if (have >= 3 && memcmp(c->lines.buf, "\xef\xbb\xbf", 3) == 0)
		lines_pass(&c->lines, 3);
	if (c->stop < 0)
		return c->stop;
	/* The same bytes decide, however many are read at once. */
	if ((r = next_byte(c, &b)) == 1 &&
	    (r = lines_ready(&c->lines, 64 * KIB, &have, c->e)) >= 0)
		r = dispatch(c, c->lines.buf + c->lines.pos,
		    have < 64 * KIB ? have : 64 * KIB);
	else if (r == 0)
		c->acc.framing = "empty";
	if (r >= 0 && c->stop >= 0)
		r = pairs_held_flush(c);
	return r < 0 ? r : c->stop;
}
