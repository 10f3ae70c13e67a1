#include <stdio.h>

#include "analyzer/diff/headtest.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"

#define METHOD "head-rows"
#define WHY "an attribute, no verdict: clean fine-tunes show classes this " \
	"far out too (z up to 5.2)"

/* "#3", or the label; ${buf} holds what was made. */
static struct row_text
class_text(uint32_t row, const char *const *labels, size_t n, char buf[16])
{
	struct row_text t = {buf, 0};

	if (row < n && labels[row] != NULL && labels[row][0] != '\0') {
		t.p = labels[row];
		while (t.p[t.n] != '\0')
			t.n++;
		return t;
	}
	t.n = (size_t)snprintf(buf, 16, "#%u", row);
	return t;
}

static void
put_stats(const struct headtest *t, struct basis *b)
{
	basis_array(b, "statistics");
	for (unsigned i = 0; i < HEADTEST_STATS; i++) {
		const struct headtest_score *s = &t->stat[i];

		if (!s->there)
			continue;
		basis_object(b, NULL);
		basis_str(b, "statistic",
		    headtest_stat_name((enum headtest_stat)i));
		basis_u64(b, "class", s->row);
		basis_f64(b, "value", s->value);
		basis_f64(b, "z", s->z);
		basis_f64(b, "dixon", s->dixon);
		basis_end(b);
	}
	basis_end(b);
}

static void
put_head(const struct headtest *t, struct basis *b)
{
	basis_text(b, "tensor", t->head->name, t->head->name_len);
	basis_u64(b, "classes", t->classes);
	basis_bool(b, "pair", t->pair);
	if (t->pair)
		basis_u64(b, "classes_changed", t->moved);
}

static int
tell_lead(const struct headtest *t, const char *const *labels, size_t n,
    struct rows *rows)
{
	const struct headtest_score *s = &t->stat[t->best];
	char buf[16];
	struct row_candidate c = {.lead = true, .kind = "class",
	    .value = class_text(s->row, labels, n, buf), .score = s->z,
	    .rank = 1, .method = METHOD};
	struct basis b;
	int r;

	basis_init(&b);
	put_head(t, &b);
	basis_u64(&b, "class", s->row);
	basis_str(&b, "statistic", headtest_stat_name(t->best));
	basis_f64(&b, "z", s->z);
	basis_f64(&b, "dixon", s->dixon);
	basis_str(&b, "why", WHY);
	put_stats(t, &b);
	c.evidence = &b;
	r = rows->candidate(rows->ctx, &c);
	basis_release(&b);
	return r;
}

static const char *
reason(const struct headtest *t)
{
	if (t->classes == 0)
		return "no classifier's head of 2 to 1000 classes could be "
		    "read";
	if (t->pair && t->moved == 0)
		return "the head did not change";
	if (t->classes == 2)
		return "two classes: neither can lie apart from the other";
	if (!t->pair)
		return "weights alone give no verdict: an older version "
		    "would show which class moved";
	return WHY;
}

int
headtest_rows(const struct headtest *t, const char *const *labels,
    size_t nlabels, struct rows *rows)
{
	struct row_detector d = {.method = METHOD, .applied = t->named,
	    .reason = reason(t)};
	struct basis b;
	int r = 0;

	if (t->named)
		r = tell_lead(t, labels, nlabels, rows);
	if (r < 0)
		return r;
	basis_init(&b);
	if (t->head != NULL)
		put_head(t, &b);
	d.evidence = &b;
	r = rows->detector(rows->ctx, &d);
	basis_release(&b);
	return r;
}
