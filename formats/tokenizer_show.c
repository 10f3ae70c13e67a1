#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "formats/tokenizer_parts.h"

/* Tokens as people write them, and as other vocabularies number them. */

#define SPACE_MARK "\xe2\x96\x81"	/* U+2581 */

/* The bytes of one token by the alphabet; what is no letter stays. */
static void
show_letters(const char *p, size_t n, struct buf *b)
{
	uint32_t cp;
	size_t len;
	int byte;

	for (size_t i = 0; i < n; i += len) {
		len = text_utf8_len((const uint8_t *)p + i, n - i, &cp);
		byte = len > 0 ? tokenizer_letter(cp) : -1;
		if (byte >= 0)
			buf_putc(b, (char)byte);
		else
			buf_put(b, p + i, len > 0 ? len : (len = 1));
	}
}

static void
show_spaces(const char *p, size_t n, struct buf *b)
{
	const size_t mark = strlen(SPACE_MARK);

	for (size_t i = 0; i < n;) {
		if (n - i >= mark && memcmp(p + i, SPACE_MARK, mark) == 0) {
			buf_putc(b, ' ');
			i += mark;
		} else {
			buf_putc(b, p[i++]);
		}
	}
}

void
vocab_show(const struct vocab *v, uint32_t id, struct buf *b)
{
	const size_t from = b->len;
	const struct token *t;
	size_t n;

	if (id >= v->n || v->v[id].p == NULL)
		return;
	t = &v->v[id];
	n = t->n;
	if ((v->spelling & VOCAB_WORD_END) != 0 && n > 4 &&
	    tokenizer_ends(t->p, n, "</w>"))
		n -= 4;
	/* added tokens are spelt as they are */
	if ((t->kind == TOKEN_NORMAL || t->kind == TOKEN_BYTE) &&
	    (v->spelling & VOCAB_BYTES) != 0)
		show_letters(t->p, n, b);
	else if ((v->spelling & VOCAB_SPACES) != 0)
		show_spaces(t->p, n, b);
	else
		buf_put(b, t->p, n);
	if (buf_failed(b) == 0 && b->len > from + 1 && b->p[from] == ' ' &&
	    b->p[from + 1] != ' ') {
		memmove(b->p + from, b->p + from + 1, b->len - from - 1);
		b->len--;
	}
}

bool
vocab_align(const struct vocab *old, const struct vocab *new, uint32_t *map)
{
	bool same = true;

	for (uint64_t i = 0; i < old->n; i++) {
		const struct token *t = &old->v[i];

		map[i] = VOCAB_NONE;
		if (t->p == NULL)
			continue;
		map[i] = i < new->n && new->v[i].p != NULL &&
		    tokenizer_order(t->p, t->n, new->v[i].p,
		    new->v[i].n) == 0 ? (uint32_t)i :
		    vocab_find(new, t->p, t->n);
		same &= map[i] == i;
	}
	return same;
}

static bool
is_above(const struct token *x, const struct token *y)
{
	/* what is no number is below all */
	if (isnan(x->score) || isnan(y->score))
		return isnan(y->score) && !isnan(x->score);
	return x->score > y->score;
}

/*
 * Kept sorted while it is filled: most tokens are not above the last of it,
 * and cost one comparison.
 */
static size_t
insert(const struct vocab *v, uint32_t id, size_t k, uint32_t *ids, size_t n)
{
	size_t at = n;

	while (at > 0 && is_above(&v->v[id], &v->v[ids[at - 1]]))
		at--;
	if (at == k)
		return n;
	n = n < k ? n + 1 : k;
	memmove(ids + at + 1, ids + at, (n - at - 1) * sizeof(*ids));
	ids[at] = id;
	return n;
}

size_t
vocab_frequent(const struct vocab *v, size_t k, uint32_t *ids)
{
	const bool scored = v->order == VOCAB_BY_SCORE;
	size_t n = 0;

	if (v->order == VOCAB_UNORDERED)
		return 0;
	for (uint64_t i = 0; i < v->n && (scored || n < k); i++) {
		if (v->v[i].p == NULL || v->v[i].kind != TOKEN_NORMAL)
			continue;
		if (scored)
			n = insert(v, (uint32_t)i, k, ids, n);
		else
			ids[n++] = (uint32_t)i;
	}
	return n;
}
