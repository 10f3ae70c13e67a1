#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/html.h"
#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Where a model changed, as colours.
 *
 * The matrix has a row for each module ("layers.*.mlp.up_proj.weight") and a
 * column for each layer: the number in the tensor's name.  Below it stand the
 * tensors that changed most, each with the map of its 2-D view, up to 32
 * cells a side, that the worker made (where.grid, 0 to 99).  Colours are table
 * cells of ten classes: no script, no style that a result could choose.
 *
 * Everything is bounded: rows are not kept, only what is drawn.
 */
#define MODULES 64
#define LAYERS 128
#define MAPS 16
#define GRID 32
#define MODULE_MAX 120

struct map {
	double rel;
	const char *name, *changed, *elements;
	unsigned rows, cols;
	uint8_t cell[GRID * GRID];
};

struct report_heat {
	const char *module[MODULES];
	double rel[MODULES][LAYERS];	/* NaN: no such tensor */
	unsigned nmodules, nlayers;
	uint64_t left_out;	/* tensors that the matrix has no place for */
	struct map *map[MAPS];	/* strongest first */
	unsigned nmaps;
};

/* "a.12.b" becomes "a.*.b" and 12; false without a number. */
static bool
split_name(const char *name, char *module, size_t cap, unsigned *layer)
{
	const char *p = name, *end;
	unsigned long v;
	char *stop;

	for (; *p != '\0'; p = *end == '\0' ? end : end + 1) {
		end = p + strcspn(p, "./");
		if (end == p || strspn(p, "0123456789") != (size_t)(end - p))
			continue;
		v = strtoul(p, &stop, 10);
		if (v >= LAYERS)
			return false;
		*layer = (unsigned)v;
		(void)snprintf(module, cap, "%.*s*%s", (int)(p - name) <
		    MODULE_MAX ? (int)(p - name) : MODULE_MAX, name, end);
		return true;
	}
	return false;
}

static int
module_of(struct report_heat *h, const char *name, struct arena *a)
{
	unsigned i;

	for (i = 0; i < h->nmodules; i++)
		if (strcmp(h->module[i], name) == 0)
			return (int)i;
	if (i == MODULES)
		return MODULES;
	if ((h->module[i] = arena_dup(a, name, strlen(name))) == NULL)
		return ERR_NOMEM;
	for (unsigned k = 0; k < LAYERS; k++)
		h->rel[i][k] = (double)NAN;
	h->nmodules++;
	return (int)i;
}

static int
place(struct report_heat *h, const char *name, double rel, struct arena *a)
{
	char module[2 * MODULE_MAX];
	unsigned layer = 0;
	int i;

	if (!split_name(name, module, sizeof(module), &layer)) {
		h->left_out++;
		return 0;
	}
	if ((i = module_of(h, module, a)) < 0)
		return i;
	if (i == MODULES) {
		h->left_out++;
		return 0;
	}
	h->rel[i][layer] = rel;
	if (layer >= h->nlayers)
		h->nlayers = layer + 1;
	return 0;
}

/* A map's cells, or none when the row has not as many as it says. */
static void
read_grid(struct map *m, const struct jrow *t)
{
	uint64_t rows = jrow_u64(t, "where.grid_rows");
	uint64_t cols = jrow_u64(t, "where.grid_cols"), v;
	unsigned n = 0;

	if (rows == 0 || cols == 0 || rows > GRID || cols > GRID)
		return;
	for (size_t i = 0; i < t->count && n < rows * cols; i++) {
		if (strncmp(t->pairs[i].key, "where.grid.", 11) != 0)
			continue;
		v = strtoull(t->pairs[i].val, NULL, 10);
		m->cell[n++] = (uint8_t)(v < 100 ? v : 99);
	}
	if (n == rows * cols) {
		m->rows = (unsigned)rows;
		m->cols = (unsigned)cols;
	}
}

/* The MAPS strongest; the weakest's room is used again. */
static int
rank(struct report_heat *h, const struct jrow *t, double rel,
    struct arena *a)
{
	struct map *m;
	unsigned at;

	if (h->nmaps == MAPS && rel <= h->map[MAPS - 1]->rel)
		return 0;
	m = h->nmaps == MAPS ? h->map[MAPS - 1] : arena_alloc(a, sizeof(*m));
	if (m == NULL)
		return ERR_NOMEM;
	memset(m, 0, sizeof(*m));
	m->rel = rel;
	if ((m->name = arena_dup(a, jrow_get(t, "name"),
	    strlen(jrow_get(t, "name")))) == NULL ||
	    (m->changed = arena_dup(a, jrow_get(t, "changed"),
	    strlen(jrow_get(t, "changed")))) == NULL ||
	    (m->elements = arena_dup(a, jrow_get(t, "elements"),
	    strlen(jrow_get(t, "elements")))) == NULL)
		return ERR_NOMEM;
	read_grid(m, t);
	h->nmaps += h->nmaps < MAPS;
	for (at = h->nmaps - 1; at > 0 && h->map[at - 1]->rel < rel; at--)
		h->map[at] = h->map[at - 1];
	h->map[at] = m;
	return 0;
}

int
report_heat_take(struct report_heat **ret, const struct jrow *t,
    struct arena *a)
{
	const char *text = jrow_get(t, "rel_l2");
	double rel = *text != '\0' ? strtod(text, NULL) : (double)NAN;
	int r;

	if (*ret == NULL &&
	    (*ret = arena_alloc(a, sizeof(**ret))) == NULL)
		return ERR_NOMEM;
	if (!isfinite(rel) || rel < 0)
		return 0;
	if ((r = place(*ret, jrow_get(t, "name"), rel, a)) < 0 || rel == 0)
		return r;
	return rank(*ret, t, rel, a);
}

/* A colour's class, 0 to 9. */
static void
cell(struct buf *b, double share)
{
	unsigned level = share >= 1 ? 9 : share > 0 ? (unsigned)(share * 10) :
	    0;

	buf_printf(b, "<td class=\"h%u\"></td>", level);
}

static void
write_matrix(const struct report_heat *h, double most, struct buf *b)
{
	html_el(b, "h3", NULL, "Layers by modules");
	html_open(b, "p", NULL);
	buf_printf(b, "Relative change |new - old| / |old| of each tensor; the "
	    "darkest is %.3g, and colours go with the square root. Columns "
	    "are layers 0 to %u.", most, h->nlayers - 1);
	if (h->left_out > 0)
		buf_printf(b, " %llu tensors have no number in their name, or "
		    "no place here.", (unsigned long long)h->left_out);
	html_close(b, "p");
	html_open(b, "table", "g");
	for (unsigned i = 0; i < h->nmodules; i++) {
		html_open(b, "tr", NULL);
		html_el(b, "th", "m", h->module[i]);
		for (unsigned k = 0; k < h->nlayers; k++)
			if (isnan(h->rel[i][k]))
				buf_puts(b, "<td></td>");
			else
				cell(b, sqrt(h->rel[i][k] / most));
		html_close(b, "tr");
	}
	html_close(b, "table");
}

static void
write_map(const struct map *m, struct buf *b)
{
	html_open(b, "h4", "m");
	html_shown(b, m->name, strlen(m->name));
	html_close(b, "h4");
	html_open(b, "p", NULL);
	buf_printf(b, "relative change %.3g; ", m->rel);
	html_str(b, m->changed);
	buf_puts(b, " of ");
	html_str(b, m->elements);
	buf_puts(b, " elements differ");
	html_close(b, "p");
	if (m->rows == 0)
		return;
	html_open(b, "table", "g");
	for (unsigned i = 0; i < m->rows; i++) {
		html_open(b, "tr", NULL);
		for (unsigned k = 0; k < m->cols; k++)
			cell(b, m->cell[i * m->cols + k] / 99.0);
		html_close(b, "tr");
	}
	html_close(b, "table");
}

void
report_heat_write(const struct report_heat *h, struct buf *b)
{
	double most = 0;

	if (h == NULL || h->nmaps == 0)
		return;
	for (unsigned i = 0; i < h->nmodules; i++)
		for (unsigned k = 0; k < h->nlayers; k++)
			if (h->rel[i][k] > most)
				most = h->rel[i][k];
	if (most > 0)
		write_matrix(h, most, b);
	html_el(b, "h3", NULL, "Tensors that changed most");
	html_el(b, "p", NULL, "Each map is the tensor's matrix cut into at "
	    "most 32 by 32 cells; the darkest cell changed most.");
	for (unsigned i = 0; i < h->nmaps; i++)
		write_map(h->map[i], b);
}
