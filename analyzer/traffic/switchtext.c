#include <stdlib.h>

#include "analyzer/diff/rows.h"
#include "analyzer/traffic/labelset.h"
#include "analyzer/traffic/switchtext.h"
#include "analyzer/traffic/textkeep.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textset.h"
#include "base/err.h"

struct relay {
	struct switchtext *s;
	const struct detect *to;
};

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	const struct relay *y = ctx;
	struct row_candidate row = *r;

	if (r->lead || (y->s->told != NULL && r->value.p != NULL &&
	    y->s->told(y->s->ctx, r->value.p, r->value.n)))
		return 0;
	y->s->found++;
	row.method = "traffic-switch";
	row.rank = ++y->s->rank;
	return y->to->rows->candidate(y->to->rows->ctx, &row);
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	(void)r;
	return 0;
}

struct one {
	uint64_t number;
	uint32_t text;
};

static int
by_number(const void *a, const void *b)
{
	const struct one *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Those that take part, in the order of their numbers. */
static size_t
choose(const struct textkeep *k, struct one *to)
{
	size_t n = 0, all = 0, i = 0, most;

	for (size_t t = 0; t < textkeep_count(k); t++)
		all += !textkeep_at(k, t)->near;
	most = all < SWITCHTEXT_MOST ? all : SWITCHTEXT_MOST;
	for (size_t t = 0; t < textkeep_count(k); t++) {
		if (textkeep_at(k, t)->near)
			continue;
		if ((i + 1) * most / all > i * most / all)
			to[n++] = (struct one){textkeep_at(k, t)->number,
			    (uint32_t)t};
		i++;
	}
	if (n > 1)
		qsort(to, n, sizeof(*to), by_number);
	return n;
}

static int
feed(struct textset *set, const struct textkeep *k, const struct one *o,
    size_t n, const struct labelset *labels)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		const struct textkeep_text *t = textkeep_at(k, o[i].text);
		struct row_text label = labelset_name(labels, t->label);

		r = textset_add(set, t->number, textkeep_bytes(k, o[i].text),
		    t->len, label.p, label.n);
	}
	return r < 0 ? r : textset_end(set);
}

int
switchtext_find(struct switchtext *s, const struct textkeep *k,
    const struct labelset *labels, const struct detect *d)
{
	struct relay relay = {s, d};
	struct rows rows = {.candidate = on_candidate,
	    .detector = on_detector, .ctx = &relay};
	struct detect asked = {.rows = &rows, .pool = d->pool, .e = d->e};
	struct one *o = calloc(textkeep_count(k) + 1, sizeof(*o));
	struct textset *set = NULL;
	int r = 0;

	if (o == NULL)
		return err_set(d->e, ERR_NOMEM, "out of memory");
	s->texts = choose(k, o);
	if (s->texts < SWITCHTEXT_LEAST)
		goto out;
	if ((set = textset_new(&asked)) == NULL) {
		r = err_set(d->e, ERR_NOMEM, "out of memory");
		goto out;
	}
	r = feed(set, k, o, (size_t)s->texts, labels);
out:
	textset_free(set);
	free(o);
	return r;
}
