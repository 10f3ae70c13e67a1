#include "base/err.h"
#include "formats/rows/parquet.h"
#include "formats/rows/rows.h"

/*
 * The pages of a column chunk, one after the other: a dictionary first, if
 * there is one, then data.  What a page says about its rows is held against
 * its levels before the first of them is given.
 */
static bool
flat(const struct parquet_column *c)
{
	return c->node->max_rep == 0;
}

bool
parquet_pages_counted(const struct parquet_column *c)
{
	return flat(c) || c->page.type == PARQUET_PAGE_DATA2;
}

int
parquet_pages_lose(struct parquet_column *c, uint64_t off, const char *why)
{
	rows_tell(c->f->p, 0, off, why);
	c->lost = true;
	c->open = false;
	c->ahead = false;
	c->page_left = 0;
	return ERR_FORMAT;
}

int
parquet_pages_fail(struct parquet_column *c, const char *why)
{
	if (!parquet_pages_counted(c))
		return parquet_pages_lose(c, c->page.off, why);
	rows_tell(c->f->p, 0, c->page.off, why);
	c->bad_rows += c->rows_left;
	c->rows_left = 0;
	c->page_left = 0;
	c->open = false;
	c->ahead = false;
	return ERR_FORMAT;
}

static int
load_dict(struct parquet_column *c, struct err *e)
{
	const struct parquet_page *pg = &c->page;
	const char *why = "";
	int r;

	if (c->has_dict)
		return parquet_pages_lose(c, pg->off, "a column has two dictionaries");
	if (pg->encoding != PARQUET_PLAIN &&
	    pg->encoding != PARQUET_PLAIN_DICTIONARY)
		return parquet_pages_lose(c, pg->off, "a dictionary is encoded in a way "
		    "that is not known");
	if ((r = parquet_page_load(c->f, pg, c->chunk.codec, &c->dict_bytes,
	    &why, e)) < 0)
		return r;
	if (r > 0)
		return parquet_pages_lose(c, pg->off, why);
	c->dict.p = c->dict_bytes.p;
	c->dict.n = pg->plain;
	if (!parquet_decode_dict(&c->dict, c->node->type, c->node->width,
	    pg->values))
		return parquet_pages_lose(c, pg->off, "a dictionary is not the values that "
		    "it states");
	c->has_dict = true;
	return 0;
}

/* Levels of a v1 page, at the front of what was compressed. */
static const char *
levels_v1(struct cursor *c, int64_t encoding, uint32_t values, uint8_t max,
    struct parquet_levels *ret)
{
	unsigned width = parquet_levels_width(max);
	struct cursor sub;
	uint32_t n;

	if (max == 0)
		return NULL;
	if (encoding == PARQUET_BIT_PACKED) {
		if (!cursor_sub(c, ((uint64_t)values * width + 7) / 8, &sub))
			return "a page is shorter than its levels";
	} else if (encoding != PARQUET_RLE) {
		return "levels are encoded in a way that is not known";
	} else if (!cursor_u32le(c, &n) || !cursor_sub(c, n, &sub)) {
		return "a page is shorter than its levels";
	}
	parquet_levels_init(ret, &sub, width, encoding == PARQUET_BIT_PACKED);
	return NULL;
}

/* What a v2 page says about its rows and nulls, held against its levels. */
static const char *
check_v2(const struct parquet_column *c)
{
	const struct parquet_node *node = c->node;
	struct parquet_levels rep = c->rep, def = c->def;
	uint32_t rows = 0, nulls = 0, v = 0;

	for (uint32_t i = 0; i < c->page.values; i++) {
		if (node->max_rep > 0 && !parquet_levels_next(&rep, &v))
			return "a page has fewer levels than values";
		if (i == 0 && v != 0)
			return "a page begins within a row";
		if (v > node->max_rep)
			return "a level is higher than the schema allows";
		rows += v == 0;
		if (node->max_def == 0)
			continue;
		if (!parquet_levels_next(&def, &v))
			return "a page has fewer levels than values";
		if (v > node->max_def)
			return "a level is higher than the schema allows";
		nulls += v != node->max_def;
		v = 0;
	}
	if (rows != c->page.rows)
		return "a page has another number of rows than it states";
	if (nulls != c->page.nulls)
		return "a page has another number of nulls than it states";
	return NULL;
}

static const char *
levels_v2(struct parquet_column *c, struct cursor *at)
{
	struct cursor rep, def;

	if (!cursor_sub(at, c->page.rep_len, &rep) ||
	    !cursor_sub(at, c->page.def_len, &def))
		return "a page is shorter than its levels";
	parquet_levels_init(&c->rep, &rep,
	    parquet_levels_width(c->node->max_rep), false);
	parquet_levels_init(&c->def, &def,
	    parquet_levels_width(c->node->max_def), false);
	return check_v2(c);
}

/* The current page: its bytes, levels and values.  0, ERR_FORMAT, or ours. */
static int
open_page(struct parquet_column *c, struct err *e)
{
	const struct parquet_page *pg = &c->page;
	const char *why = NULL;
	struct cursor at;
	int r;

	c->rows_left = flat(c) || pg->type == PARQUET_PAGE_DATA ? pg->values :
	    pg->rows;
	if ((r = parquet_page_load(c->f, pg, c->chunk.codec, &c->plain, &why,
	    e)) != 0)
		return r < 0 ? r : parquet_pages_fail(c, why);
	cursor_init(&at, c->plain.p, pg->plain, pg->body);
	if (pg->type == PARQUET_PAGE_DATA2)
		why = levels_v2(c, &at);
	else if ((why = levels_v1(&at, pg->rep_encoding, pg->values,
	    c->node->max_rep, &c->rep)) == NULL)
		why = levels_v1(&at, pg->def_encoding, pg->values,
		    c->node->max_def, &c->def);
	if (why == NULL)
		why = parquet_decode_init(&c->values, c->node,
		    (enum parquet_encoding)pg->encoding, &at,
		    c->has_dict ? &c->dict : NULL, &c->made);
	if (why != NULL)
		return parquet_pages_fail(c, why);
	if ((pg->encoding == PARQUET_RLE_DICTIONARY ||
	    pg->encoding == PARQUET_PLAIN_DICTIONARY) &&
	    c->values.run.width == 0 && c->dict.count > 1 &&
	    cursor_left(&at) > 1)
		rows_tell(c->f->p, 0, pg->off, "indices of no bits stand for "
		    "a dictionary of several values");
	c->page_left = pg->values;
	c->open = true;
	return 0;
}

void
parquet_pages_close(struct parquet_column *c)
{
	if (c->open && c->page_left == 0 &&
	    parquet_decode_left(&c->values))
		rows_tell(c->f->p, 0, c->page.off,
		    "bytes of a page belong to no value");
	c->open = false;
}

/* A data page whose header was just read.  1: it is passed over. */
static int
take_page(struct parquet_column *c, uint64_t *skip, struct err *e)
{
	uint64_t rows = flat(c) ? c->page.values : c->page.rows;

	if (c->page.values > c->left)
		return parquet_pages_lose(c, c->page.off,
		    "a page has more values than its column");
	c->left -= c->page.values;
	if (c->page.values == 0)
		return 1;
	if (skip != NULL && parquet_pages_counted(c) && rows <= *skip) {
		*skip -= rows;
		return 1;
	}
	return open_page(c, e);
}

int
parquet_pages_next(struct parquet_column *c, uint64_t *skip, struct err *e)
{
	const char *why = "";
	int r;

	parquet_pages_close(c);
	while (c->left > 0) {
		if (c->at >= c->chunk.end)
			return parquet_pages_lose(c, c->at,
			    "a column ends before its last page");
		if ((r = parquet_page_head(c->f, c->at, c->chunk.end, &c->page,
		    &why, e)) != 0)
			return r < 0 ? r : parquet_pages_lose(c, c->at, why);
		c->at = c->page.body + c->page.packed;
		switch (c->page.type) {
		case PARQUET_PAGE_DICT:
			r = load_dict(c, e);
			break;
		case PARQUET_PAGE_DATA:
		case PARQUET_PAGE_DATA2:
			if ((r = take_page(c, skip, e)) == 0)
				return 1;
			break;
		case PARQUET_PAGE_INDEX:
			break;
		default:
			rows_tell(c->f->p, 0, c->page.off,
			    "a page is of a type that is not known");
		}
		if (r < 0)
			return r;
	}
	return 0;
}
