#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/match.h"
#include "analyzer/diff/table.h"
#include "analyzer/rules.h"
#include "base/arena.h"
#include "base/bug.h"
#include "base/err.h"

const char *
pair_match_name(enum pair_match m)
{
	static const char *const names[] = {"none", "name", "prefix",
	    "table", "digest", "similarity", "part", "tied"};

	BUG_ON(m >= MATCH_COUNT);
	return names[m];
}

int
match_add(struct match *m, const struct pair *p)
{
	struct pairs *out = m->out;
	struct pair *v;
	size_t cap;

	if (out->n == out->cap) {
		cap = out->cap == 0 ? 256 : 2 * out->cap;
		if ((v = reallocarray(out->v, cap, sizeof(*v))) == NULL)
			return err_set(m->e, ERR_NOMEM, "out of memory");
		out->v = v;
		out->cap = cap;
	}
	out->v[out->n++] = *p;
	return 0;
}

void
match_release(struct pairs *p)
{
	free(p->v);
	p->v = NULL;
	p->n = p->cap = 0;
}

void
match_compact(struct match *m)
{
	for (unsigned s = 0; s < 2; s++) {
		size_t n = 0;

		for (size_t i = 0; i < m->nleft[s]; i++)
			if (m->left[s][i] != NULL)
				m->left[s][n++] = m->left[s][i];
		m->nleft[s] = n;
	}
}

/* All of a unit are left at first. */
static int
take_all(struct match *m, unsigned s, const struct unit *u)
{
	free(m->left[s]);
	m->nleft[s] = 0;
	if ((m->left[s] = calloc(u->n + 1,
	    sizeof(const struct tensor *))) == NULL)
		return err_set(m->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < u->n; i++)
		m->left[s][i] = &u->v[i];
	m->nleft[s] = u->n;
	return 0;
}

static int
take_rest(struct match *m)
{
	int r = 0;

	for (unsigned s = 0; s < 2; s++)
		for (size_t i = 0; i < m->nleft[s] && r >= 0; i++) {
			struct pair p = {.how = MATCH_NONE,
			    .status = s == 0 ? ROW_REMOVED : ROW_ADDED};

			if (s == 0)
				p.a = m->left[s][i];
			else
				p.b = m->left[s][i];
			r = match_add(m, &p);
		}
	return r;
}

int
match_units(struct match *m, const struct unit *a, const struct unit *b)
{
	static int (*const rules[])(struct match *) = {match_by_name,
	    match_by_prefix, match_by_table, match_by_digest, match_parts,
	    match_ties, match_by_similarity};
	int r;

	if ((r = take_all(m, 0, a)) < 0 || (r = take_all(m, 1, b)) < 0)
		goto out;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (m->nleft[0] == 0 && m->nleft[1] == 0)
			break;
		if ((r = rules[i](m)) < 0)
			goto out;
		match_compact(m);
	}
	r = take_rest(m);
out:
	for (unsigned s = 0; s < 2; s++) {
		free(m->left[s]);
		m->left[s] = NULL;
		m->nleft[s] = 0;
	}
	return r;
}

static const struct tensor *
shown(const struct pair *p)
{
	return p->b != NULL ? p->b : p->a;
}

static int
compare(const void *a, const void *b)
{
	const struct pair *x = a;
	const struct pair *y = b;
	const struct tensor *s = shown(x), *t = shown(y);
	uint32_t n = s->name_len < t->name_len ? s->name_len : t->name_len;
	int c = memcmp(s->name, t->name, n);

	if (c != 0)
		return c;
	if (s->name_len != t->name_len)
		return s->name_len < t->name_len ? -1 : 1;
	if (s->unit != t->unit)
		return s->unit < t->unit ? -1 : 1;
	if ((x->b != NULL) != (y->b != NULL))
		return x->b != NULL ? 1 : -1;
	return (s->off > t->off) - (s->off < t->off);
}

/* How many names two units have in common. */
static size_t
common(const struct unit *a, const struct unit *b)
{
	size_t i = 0, j = 0, n = 0;

	while (i < a->n && j < b->n) {
		const struct tensor *x = &a->v[i], *y = &b->v[j];
		uint32_t len = x->name_len < y->name_len ? x->name_len :
		    y->name_len;
		int c = memcmp(x->name, y->name, len);

		if (c == 0)
			c = (x->name_len > y->name_len) -
			    (x->name_len < y->name_len);
		n += c == 0;
		i += c <= 0;
		j += c >= 0;
	}
	return n;
}

static int
compare_paths(const struct unit *a, const struct unit *b)
{
	size_t n = a->path_len < b->path_len ? a->path_len : b->path_len;
	int c = memcmp(a->path, b->path, n);

	return c != 0 ? c : (a->path_len > b->path_len) -
	    (a->path_len < b->path_len);
}

/* Both lists are sorted, and a path is in each once (gather_units). */
static void
match_paths(const struct table *a, const struct table *b, size_t *to,
    bool *taken)
{
	size_t i = 0, j = 0;

	while (i < a->nunits && j < b->nunits) {
		int c = compare_paths(&a->units[i], &b->units[j]);

		if (c == 0) {
			to[i] = j;
			taken[j] = true;
		}
		i += c <= 0;
		j += c >= 0;
	}
}

/* More units than this are matched by their paths alone. */
#define UNITS_COMPARED 64

/* The unit of the new side that fits best and is free; SIZE_MAX: none. */
static size_t
best_unit(const struct match *m, const struct unit *a, const bool *taken)
{
	const struct table *t = m->side[1];
	size_t best = SIZE_MAX, most = 0, n;

	for (size_t j = 0; j < t->nunits && j < UNITS_COMPARED; j++)
		if (!taken[j] && (n = common(a, &t->units[j])) > most) {
			most = n;
			best = j;
		}
	return best;
}

static int
say_alone(struct match *m, unsigned s, const struct unit *u)
{
	struct finding f = {.id = FINDING_DIFF_UNMATCHED,
	    .severity = finding_info(FINDING_DIFF_UNMATCHED)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_num(&f, "tensors", u->n);
	return m->rows->finding(m->rows->ctx, s == 0 ? ROW_OLD : ROW_NEW,
	    (struct row_text){u->path, u->path_len}, &f);
}

/*
 * to[i] is the unit of the new side for unit i of the old one.  The only one
 * of each side, the same path, the most names in common, the last of each.
 */
static void
match_models(struct match *m, size_t *to, bool *taken)
{
	const struct table *a = m->side[0], *b = m->side[1];
	size_t last_a = SIZE_MAX, last_b = SIZE_MAX, na = 0, nb = 0;

	for (size_t i = 0; i < a->nunits; i++)
		to[i] = SIZE_MAX;
	match_paths(a, b, to, taken);
	for (size_t i = 0; i < a->nunits && i < UNITS_COMPARED; i++)
		if (to[i] == SIZE_MAX &&
		    (to[i] = best_unit(m, &a->units[i], taken)) != SIZE_MAX)
			taken[to[i]] = true;
	for (size_t i = 0; i < a->nunits; i++)
		if (to[i] == SIZE_MAX) {
			last_a = i;
			na++;
		}
	for (size_t j = 0; j < b->nunits; j++)
		if (!taken[j]) {
			last_b = j;
			nb++;
		}
	if (na == 1 && nb == 1) {
		to[last_a] = last_b;
		taken[last_b] = true;
	}
}

int
match_tables(struct match *m)
{
	const struct table *a = m->side[0], *b = m->side[1];
	size_t *to = calloc(a->nunits + 1, sizeof(*to));
	bool *taken = calloc(b->nunits + 1, sizeof(*taken));
	int r = 0;

	if (to == NULL || taken == NULL) {
		r = err_set(m->e, ERR_NOMEM, "out of memory");
		goto out;
	}
	match_models(m, to, taken);
	for (size_t i = 0; i < a->nunits && r >= 0; i++)
		r = to[i] != SIZE_MAX ? match_units(m, &a->units[i],
		    &b->units[to[i]]) : say_alone(m, 0, &a->units[i]);
	for (size_t j = 0; j < b->nunits && r >= 0; j++)
		if (!taken[j])
			r = say_alone(m, 1, &b->units[j]);
	if (m->out->n > 0)
		qsort(m->out->v, m->out->n, sizeof(*m->out->v), compare);
out:
	free(to);
	free(taken);
	return r;
}
