#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/parquet.h"
#include "formats/rows/rows.h"

/*
 * A column of a row group, row by row.
 *
 * An entry is a repetition level, a definition level, and a value when the
 * latter is the highest.  A row of a flat column is one entry; of a nested
 * one, as many as there are until the next repetition level of 0, so the
 * levels are read one entry ahead.  Pages of version 2, and of flat columns,
 * begin with a row and say how many they have; others may end within a row.
 */
static bool
flat(const struct parquet_column *c)
{
	return c->node->max_rep == 0;
}

void
parquet_column_init(struct parquet_column *c, struct parquet_file *f,
    const struct parquet_node *node, struct arena *a)
{
	memset(c, 0, sizeof(*c));
	c->f = f;
	c->node = node;
	grow_init(&c->plain, a);
	grow_init(&c->dict_bytes, a);
	grow_init(&c->dict.place, a);
	grow_init(&c->made, a);
	grow_init(&c->entry, a);
	grow_init(&c->bytes, a);
}

void
parquet_column_start(struct parquet_column *c,
    const struct parquet_chunk *chunk)
{
	c->chunk = *chunk;
	c->at = chunk->off;
	c->left = chunk->values;
	c->lost = c->damaged = c->open = c->ahead = c->has_dict = false;
	c->bad_rows = 0;
	c->page_left = c->rows_left = 0;
	c->entries = c->used = c->cur = 0;
	if (chunk->unread != NULL)
		(void)parquet_pages_lose(c, chunk->off, chunk->unread);
}

/* The next definition level, and the value if there is one. */
static int
take_value(struct parquet_column *c, uint8_t level, struct parquet_entry *ret)
{
	const char *why;

	ret->def = level;
	if (level < c->node->max_def)
		return 0;
	if ((why = parquet_decode_next(&c->values, &ret->v)) != NULL)
		return parquet_pages_fail(c, why);
	return 0;
}

static int
read_level(struct parquet_column *c, struct parquet_levels *l, uint8_t max,
    uint8_t *ret)
{
	uint32_t v = 0;

	if (max > 0 && !parquet_levels_next(l, &v))
		return parquet_pages_fail(c, "a page has fewer levels than values");
	if (v > max)
		return parquet_pages_fail(c, "a level is higher than the schema allows");
	*ret = (uint8_t)v;
	return 0;
}

static int
flat_row(struct parquet_column *c, struct err *e)
{
	uint8_t def = 0;
	int r;

	while (c->page_left == 0)
		if ((r = parquet_pages_next(c, NULL, e)) <= 0)
			return r < 0 ? r : parquet_pages_lose(c, c->at,
			    "a column has fewer rows than its row group");
	if ((r = read_level(c, &c->def, c->node->max_def, &def)) < 0 ||
	    (r = take_value(c, def, &c->one)) < 0)
		return r;
	c->page_left--;
	c->rows_left--;
	return 0;
}

/* Levels of the next entry.  1; 0: there is none; negative. */
static int
look_ahead(struct parquet_column *c, struct err *e)
{
	int r;

	if (c->ahead)
		return 1;
	while (c->page_left == 0) {
		if (c->bad_rows > 0)
			return 0;
		if ((r = parquet_pages_next(c, NULL, e)) == 0)
			return 0;
		if (r < 0 && (r != ERR_FORMAT || c->lost))
			return r;
	}
	if ((r = read_level(c, &c->rep, c->node->max_rep, &c->ahead_rep)) < 0 ||
	    (r = read_level(c, &c->def, c->node->max_def, &c->ahead_def)) < 0)
		return r;
	c->page_left--;
	c->ahead = true;
	return 1;
}

/* The entry that was looked at; its bytes are kept until the row is done. */
static int
take_entry(struct parquet_column *c, struct err *e)
{
	struct parquet_entry *entry;
	size_t n = c->entries;
	int r;

	if (n == LIMIT_ROWTREE_NODES)
		return parquet_pages_fail(c, "a row has more values than are read");
	if (!grow_room(&c->entry, (n + 1) * sizeof(*entry),
	    n * sizeof(*entry)))
		return err_set(e, ERR_LIMIT, "no memory left for a row");
	entry = (struct parquet_entry *)(void *)c->entry.p + n;
	memset(entry, 0, sizeof(*entry));
	entry->rep = c->ahead_rep;
	if ((r = take_value(c, c->ahead_def, entry)) < 0)
		return r;
	entry->at = c->used;
	if (entry->v.n > UINT32_MAX - c->used ||
	    !grow_room(&c->bytes, c->used + entry->v.n, c->used))
		return err_set(e, ERR_LIMIT, "no memory left for a row");
	if (entry->v.n > 0)
		memcpy(c->bytes.p + c->used, entry->v.p, entry->v.n);
	c->used += (uint32_t)entry->v.n;
	c->entries++;
	c->ahead = false;
	return 0;
}

static int
nested_row(struct parquet_column *c, struct err *e)
{
	uint64_t page;
	int r;

	c->entries = c->used = 0;
	if ((r = look_ahead(c, e)) < 0)
		return r;
	if (r == 0)
		return c->bad_rows > 0 ? ERR_FORMAT : parquet_pages_lose(c, c->at,
		    "a column has fewer rows than its row group");
	if (c->ahead_rep != 0)
		return parquet_pages_fail(c, "a row begins within a list");
	page = c->page.off;
	do {
		if ((r = take_entry(c, e)) < 0 || (r = look_ahead(c, e)) < 0)
			return r;
	} while (r == 1 && c->ahead_rep > 0);
	/* The entry ahead may be of the next page, with rows of its own. */
	if (page == c->page.off && parquet_pages_counted(c))
		c->rows_left--;
	for (uint32_t i = 0; i < c->entries; i++) {
		struct parquet_entry *at =
		    (struct parquet_entry *)(void *)c->entry.p + i;

		at->v.p = c->bytes.p + at->at;
	}
	return 0;
}

int
parquet_column_row(struct parquet_column *c, struct err *e)
{
	int r = 0;

	c->damaged = true;
	if (c->lost)
		return 0;
	if (c->bad_rows == 0 &&
	    (r = flat(c) ? flat_row(c, e) : nested_row(c, e)) == 0) {
		c->damaged = false;
		return 0;
	}
	if (r < 0 && r != ERR_FORMAT)
		return r;
	if (c->bad_rows > 0)
		c->bad_rows--;
	return 0;
}

/* Would the index have led to the page where row ${row} is? */
static int
ask_index(struct parquet_column *c, uint64_t row, uint64_t first,
    struct err *e)
{
	uint64_t off, said;
	int r;

	if ((r = parquet_page_find(c->f, &c->chunk, row, &off, &said, e)) <= 0)
		return r;
	if (off != c->page.off || said != first)
		rows_tell(c->f->p, 0, c->chunk.index,
		    "the offset index leads to other rows than the pages");
	return 0;
}

int
parquet_column_skip(struct parquet_column *c, uint64_t from, uint64_t rows,
    struct err *e)
{
	uint64_t left = rows, n;
	int r;

	while (left > 0 && !c->lost) {
		if (c->bad_rows > 0) {
			n = left < c->bad_rows ? left : c->bad_rows;
			c->bad_rows -= n;
			left -= n;
			continue;
		}
		if (c->page_left > 0 || c->ahead) {
			if ((r = parquet_column_row(c, e)) < 0)
				return r;
			left--;
			continue;
		}
		if ((r = parquet_pages_next(c, &left, e)) < 0 && r != ERR_FORMAT)
			return r;
		if (r == 0 && left > 0)
			(void)parquet_pages_lose(c, c->at,
			    "a column has fewer rows than its row group");
		if (r == 1 && parquet_pages_counted(c) && !c->lost &&
		    (r = ask_index(c, from + rows, from + rows - left, e)) < 0)
			return r;
	}
	return 0;
}

void
parquet_column_end(struct parquet_column *c)
{
	if (c->lost)
		return;
	parquet_pages_close(c);
	if (c->ahead || c->page_left > 0 || c->left > 0 || c->bad_rows > 0)
		rows_tell(c->f->p, 0, c->page.off,
		    "a column has more rows than its row group");
	else if (c->at < c->chunk.end)
		rows_tell(c->f->p, 0, c->at,
		    "bytes behind the last page belong to nothing");
}

const struct parquet_entry *
parquet_column_entry(const struct parquet_column *c)
{
	if (c->cur >= (flat(c) ? 1 : c->entries))
		return NULL;
	if (flat(c))
		return &c->one;
	return (const struct parquet_entry *)(const void *)c->entry.p +
	    c->cur;
}
