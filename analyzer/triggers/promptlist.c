#include <string.h>

#include "analyzer/triggers/promptdict.h"
#include "analyzer/triggers/promptlist.h"
#include "base/err.h"
#include "base/limits.h"

void
promptlists_init(struct promptlists *s)
{
	memset(s, 0, sizeof(*s));
}

void
promptlists_release(struct promptlists *s)
{
	free(s->l);
	free(s->rows);
	free(s->slot);
	memset(s, 0, sizeof(*s));
}

/* The list with the same rows, or the free slot. */
static size_t
probe(const struct promptlists *s, const struct promptlist *f)
{
	size_t at = (size_t)promptdict_mix(f->sum + f->df) & (s->slots - 1);
	const struct promptlist *l;

	for (; s->slot[at] != 0; at = (at + 1) & (s->slots - 1)) {
		l = &s->l[s->slot[at] - 1];
		if (l->sum == f->sum && l->df == f->df)
			break;
	}
	return at;
}

static int
room(struct promptlists *s, struct err *e)
{
	struct promptlist *l;
	size_t cap = s->cap == 0 ? 1024 : s->cap + s->cap / 2;
	size_t slots = s->slots == 0 ? 4096 : s->slots * 2;

	if (s->n == s->cap) {
		if ((l = realloc(s->l, cap * sizeof(*l))) == NULL)
			return err_set(e, ERR_NOMEM, "lists: out of memory");
		s->l = l;
		s->cap = cap;
	}
	if (s->n * 2 < s->slots)
		return 0;
	free(s->slot);
	if ((s->slot = calloc(slots, sizeof(*s->slot))) == NULL) {
		s->slots = 0;
		return err_set(e, ERR_NOMEM, "lists: out of memory");
	}
	s->slots = slots;
	for (size_t i = 0; i < s->n; i++)
		s->slot[probe(s, &s->l[i])] = (uint32_t)i + 1;
	return 0;
}

static int
reserve(struct promptlists *s, size_t n, struct err *e)
{
	uint32_t *v;
	size_t cap = s->rows_cap + s->rows_cap / 2 + n + 4096;

	if (s->nrows + n <= s->rows_cap)
		return 0;
	if ((v = realloc(s->rows, cap * sizeof(*v))) == NULL)
		return err_set(e, ERR_NOMEM, "lists: out of memory");
	s->rows = v;
	s->rows_cap = cap;
	return 0;
}

int
promptlists_offer(struct promptlists *s, const struct promptlist *f,
    uint32_t *ret, struct err *e)
{
	struct promptlist *l;
	uint32_t odd;
	size_t at;
	int r;

	*ret = UINT32_MAX;
	if ((r = room(s, e)) < 0)
		return r;
	at = probe(s, f);
	if (s->slot[at] != 0) {
		l = &s->l[s->slot[at] - 1];
		odd = f->odd != 0 ? f->odd : l->odd;
		if (f->bytes > l->bytes) {
			l->row = f->row;
			l->at = f->at;
			l->n = f->n;
			l->kind = f->kind;
			l->bytes = f->bytes;
		}
		l->odd = odd;
		return 0;
	}
	if (s->n >= LIMIT_PROMPT_LISTS ||
	    f->df > LIMIT_PROMPT_LIST_ROWS - s->nrows) {
		s->left_out++;
		return 0;
	}
	if ((r = reserve(s, f->df, e)) < 0)
		return r;
	l = &s->l[s->n];
	*l = *f;
	l->off = (uint32_t)s->nrows;
	l->filled = 0;
	s->nrows += f->df;
	*ret = (uint32_t)s->n++;
	s->slot[at] = *ret + 1;
	return 0;
}

void
promptlists_fill(struct promptlists *s, uint32_t list, uint32_t row)
{
	struct promptlist *l = &s->l[list];

	/* Counting and filling see the same rows. */
	if (l->filled == l->df || (l->filled > 0 &&
	    s->rows[l->off + l->filled - 1] == row))
		return;
	s->rows[l->off + l->filled++] = row;
}
