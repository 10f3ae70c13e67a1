#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/format.h"
#include "formats/safetensors.h"

/* Room for one more of ${size} bytes each, in the arena. */
static int
grow(struct parse *p, void **items, size_t count, size_t *cap, size_t size)
{
	size_t more = *cap == 0 ? 256 : 2 * *cap;
	void *q;

	if (count < *cap)
		return 0;
	if ((q = arena_array(p->arena, more, size)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory for tensors");
	if (count > 0)
		memcpy(q, *items, count * size);
	*items = q;
	*cap = more;
	return 0;
}

int
safetensors_add_name(struct parse *p, struct safetensors_table *t,
    const char *name, size_t n, uint64_t off)
{
	void *items = t->name;
	int r;

	if ((r = grow(p, &items, t->names, &t->names_cap,
	    sizeof(*t->name))) < 0)
		return r;
	t->name = items;
	t->name[t->names++] = (struct names_view){name, n, off};
	return 0;
}

int
safetensors_add_key(struct parse *p, struct safetensors_table *t,
    const char *key, size_t n, uint64_t off)
{
	void *items = t->key;
	int r;

	if ((r = grow(p, &items, t->keys, &t->keys_cap,
	    sizeof(*t->key))) < 0)
		return r;
	t->key = items;
	t->key[t->keys++] = (struct names_view){key, n, off};
	return 0;
}

int
safetensors_add_span(struct parse *p, struct safetensors_table *t,
    const struct safetensors_span *s)
{
	void *items = t->span;
	int r;

	if ((r = grow(p, &items, t->spans, &t->spans_cap,
	    sizeof(*t->span))) < 0)
		return r;
	t->span = items;
	t->span[t->spans++] = *s;
	return 0;
}

static int
deceptive(struct parse *p, const struct names_view *v, size_t count)
{
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		const struct fact facts[] = {
		    FACT_TEXT("name", v[i].p, v[i].n)};

		if (names_oddities(v[i].p, v[i].n) & (NAMES_DECEPTIVE |
		    NAMES_NUL))
			r = format_anomaly(p, ANOMALY_NAME_DECEPTIVE,
			    v[i].off, 0, facts, 1);
	}
	return r;
}

int
safetensors_names(struct parse *p, const struct safetensors_table *t)
{
	int r;

	if ((r = names_twins(p, t->name, t->names, ANOMALY_ST_DUPLICATE_KEY,
	    ANOMALY_ST_CASE_TWIN)) < 0 ||
	    (r = names_twins(p, t->key, t->keys, ANOMALY_ST_DUPLICATE_KEY,
	    ANOMALY_COUNT)) < 0 ||
	    (r = deceptive(p, t->name, t->names)) < 0)
		return r;
	return deceptive(p, t->key, t->keys);
}

static int
compare_names(const struct names_view *a, const struct names_view *b)
{
	size_t n = a->n < b->n ? a->n : b->n;
	int c = n > 0 ? memcmp(a->p, b->p, n) : 0;

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

/*
 * The library sorts tensors by dtype, the widest first, then by name, and
 * lays header and data out in that order (tensor.rs, prepare).  Another order
 * says that something else wrote the file: a note about where it comes from.
 */
static int
check_order(struct parse *p, const struct safetensors_table *t)
{
	for (size_t i = 1; i < t->spans; i++) {
		const struct safetensors_span *a = &t->span[i - 1],
		    *b = &t->span[i];
		const struct names_view *name = &t->name[b->name];
		const struct fact facts[] = {
		    FACT_TEXT("name", name->p, name->n)};

		if (b->begin == a->end && (a->dtype > b->dtype ||
		    (a->dtype == b->dtype &&
		    compare_names(&t->name[a->name], name) <= 0)))
			continue;
		return format_anomaly(p, ANOMALY_ST_ORDER, name->off, 0,
		    facts, 1);
	}
	return 0;
}

static int
compare_spans(const void *a, const void *b)
{
	const struct safetensors_span *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

/* One tensor, those before it having taken the data up to ${at}. */
static int
take_span(struct parse *p, const struct safetensors_table *t,
    const struct safetensors_span *s, uint64_t base, uint64_t at)
{
	const struct names_view *name = &t->name[s->name];
	const struct fact facts[] = {FACT_TEXT("name", name->p, name->n)};
	int r = 0;

	if (s->begin > at)
		r = format_anomaly(p, ANOMALY_ST_GAP, base + at,
		    s->begin - at, NULL, 0);
	else if (s->begin < at && s->begin == s->end)
		/* No byte, but not where the reference reader wants it. */
		r = format_anomaly(p, ANOMALY_ST_BAD_ENTRY, name->off, 0,
		    facts, 1);
	else if (s->begin < at)
		r = format_anomaly(p, ANOMALY_ST_OVERLAP, base + s->begin,
		    (at < s->end ? at : s->end) - s->begin, facts, 1);
	if (r >= 0 && s->begin > at)
		r = format_cover(p, base + at, s->begin - at);
	return r < 0 ? r : format_cover(p, base + s->begin,
	    s->end - s->begin);
}

int
safetensors_account(struct parse *p, struct safetensors_table *t,
    uint64_t base, uint64_t size)
{
	uint64_t at = 0;
	int r;

	if ((r = check_order(p, t)) < 0)
		return r;
	if (t->spans > 1)
		qsort(t->span, t->spans, sizeof(*t->span), compare_spans);
	for (size_t i = 0; i < t->spans; i++) {
		if ((r = take_span(p, t, &t->span[i], base, at)) < 0)
			return r;
		if (t->span[i].end > at)
			at = t->span[i].end;
	}
	if (at == size)
		return 0;
	if ((r = format_anomaly(p, ANOMALY_TRAILING, base + at, size - at,
	    NULL, 0)) < 0)
		return r;
	return format_cover(p, base + at, size - at);
}
