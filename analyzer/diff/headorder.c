#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/headorder.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

/* Sizes of a head that models have. */
static const unsigned sizes[] = {64, 128, 32, 80, 96, 256, 16, 160, 192, 48,
    40, 112, 8, 4, 24, 20, 512};

/* A trial looks at so much of each tensor: chance agrees in none of it. */
#define TRIAL_ROWS 512
#define TRIAL_COLS 256
#define ALIKE 0.6

static bool
is_rotary(const struct tensor *t)
{
	static const char *const names[] = {".attn_q.weight",
	    ".attn_k.weight", ".attn_q.bias", ".attn_k.bias"};
	char name[512];
	size_t n = rename_canonical(t->name, t->name_len, name,
	    sizeof(name));

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (n > len && memcmp(name + n - len, names[i], len) == 0)
			return true;
	}
	return false;
}

static uint64_t
height(const struct tensor *t)
{
	return t->rank >= 2 ? t->rows : t->n;
}

/* Which row of A stands at ${row} of B. */
static uint64_t
source(uint64_t row, unsigned d, bool to_gguf)
{
	uint64_t head = row / d, r = row % d;

	r = to_gguf ? r % 2 * (d / 2) + r / 2 : r % (d / 2) * 2 + r / (d / 2);
	return head * d + r;
}

/* The first columns of a row. */
static size_t
load_row(const struct tensor *t, uint64_t row, float *dst)
{
	const struct elem_info *x = elem_info(t->elem);
	uint64_t cols = t->rank >= 2 ? t->cols : 1;
	size_t n = cols < TRIAL_COLS ? (size_t)cols : TRIAL_COLS;

	n = n / x->block * x->block;
	if (cols % x->block != 0 || n == 0)
		return 0;
	elem_load(t->elem, t->p + row * cols / x->block * x->bytes, n, dst);
	return n;
}

static double
trial(const struct tensor *a, const struct tensor *b, unsigned d,
    bool to_gguf)
{
	uint64_t rows = height(b) < TRIAL_ROWS ? height(b) : TRIAL_ROWS;
	float x[TRIAL_COLS], y[TRIAL_COLS];
	double ab = 0, aa = 0, bb = 0;
	size_t n, m;

	rows = rows / d * d;
	for (uint64_t i = 0; i < rows; i++) {
		n = load_row(a, source(i, d, to_gguf), x);
		m = load_row(b, i, y);
		n = n < m ? n : m;
		for (size_t k = 0; k < n; k++) {
			ab += (double)x[k] * (double)y[k];
			aa += (double)x[k] * (double)x[k];
			bb += (double)y[k] * (double)y[k];
		}
	}
	return isfinite(ab) && aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

static const struct tensor *
reorder(struct table *old, const struct tensor *a, unsigned d, bool to_gguf,
    struct err *e)
{
	uint64_t rows = height(a);
	const struct tensor *ret;
	uint32_t *from;

	if ((from = calloc(rows, sizeof(*from))) == NULL)
		return NULL;
	for (uint64_t i = 0; i < rows; i++)
		from[i] = (uint32_t)source(i, d, to_gguf);
	if ((ret = table_reordered(old, a, from, e)) == NULL)
		err_reset(e);
	free(from);
	return ret;
}

const struct tensor *
headorder_find(struct table *old, const struct tensor *a,
    const struct tensor *b, unsigned *head, struct err *e)
{
	double best = ALIKE, c;
	unsigned d = 0;
	bool to = false;

	if (!is_rotary(a) || !is_rotary(b) || height(a) != height(b) ||
	    height(a) > UINT32_MAX)
		return NULL;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (unsigned way = 0; way < 2; way++) {
			if (height(a) % sizes[i] != 0)
				continue;
			c = trial(a, b, sizes[i], way == 0);
			if (c > best) {
				best = c;
				d = sizes[i];
				to = way == 0;
			}
		}
	if (d == 0)
		return NULL;
	*head = d;
	return reorder(old, a, d, to, e);
}
