#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/elem.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/structure_frozen.h"
#include "analyzer/diff/structure_tell.h"
#include "analyzer/diff/tensor.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Which parts moved and which did not, as words.  A buffer of whole numbers
 * (positions, counters) never moves and is no layer; nor is a vector of one
 * element.
 */
#define WORDS 256

struct moved {
	size_t all, matrices, vectors, biases;
	size_t embeddings, heads, outside, layered;
	size_t attention;	/* matrices of attention */
	uint32_t first, last;	/* layers */
	bool whole;		/* each layered module in all its layers */
};

static bool
is_weight(const struct structure_entry *x)
{
	const struct tensor *t = x->item->new != NULL ? x->item->new :
	    x->item->old;
	enum elem_kind kind = elem_info(t->elem)->kind;

	return t->n > 1 && (kind == ELEM_FLOAT || kind == ELEM_BLOCKS ||
	    t->elem == ELEM_I8 || t->elem == ELEM_U8);
}

static bool
frozen(const struct structure_entry *x)
{
	return x->state == STATE_SAME && is_weight(x);
}

static struct moved
look(const struct structure_view *v)
{
	struct moved m = {.first = UINT32_MAX, .whole = true};

	for (size_t k = 0; k < v->n; k++) {
		const struct structure_entry *x = &v->v[k];

		if (!structure_moved(x->state))
			continue;
		m.all++;
		m.matrices += x->matrix;
		m.vectors += !x->matrix;
		m.biases += !x->matrix && structure_name_bias(x->name, x->len);
		m.embeddings += x->role == STRUCTURE_EMBEDDING;
		m.heads += x->role == STRUCTURE_HEAD;
		m.attention += x->matrix && x->role == STRUCTURE_ATTENTION;
		if (!x->layered || x->role == STRUCTURE_HEAD) {
			m.outside++;
			continue;
		}
		m.layered++;
		m.first = x->layer < m.first ? x->layer : m.first;
		m.last = x->layer > m.last ? x->layer : m.last;
	}
	for (size_t i = 0; i < v->nmodules; i++) {
		const struct structure_module *x = &v->modules[i];
		size_t moved = 0;

		for (unsigned s = 0; s < STATE_COUNT; s++)
			if (structure_moved((enum structure_state)s))
				moved += x->count[s];
		if (x->layered && moved > 0 && x->count[STATE_SAME] > 0)
			m.whole = false;
	}
	return m;
}

/* "q, v" of the modules that moved. */
static void
put_attention(const struct structure_view *v, struct buf *b)
{
	static const char *const which[] = {"q", "k", "v", "o", "qkv"};
	bool any = false;

	for (unsigned i = 0; i < 5; i++) {
		bool found = false;

		for (size_t k = 0; k < v->n && !found; k++) {
			const char *a = v->v[k].matrix &&
			    structure_moved(v->v[k].state) ?
			    structure_name_attention(v->v[k].name,
			    v->v[k].len) : NULL;

			found = a != NULL && strcmp(a, which[i]) == 0;
		}
		if (found)
			buf_printf(b, "%s%s", any ? ", " : "", which[i]);
		any = any || found;
	}
}

static bool
embeddings_frozen(const struct structure_view *v)
{
	size_t n = 0;

	for (size_t k = 0; k < v->n; k++) {
		if (v->v[k].role != STRUCTURE_EMBEDDING)
			continue;
		if (v->v[k].state != STATE_SAME)
			return false;
		n += v->v[k].matrix;
	}
	return n > 0;
}

/* The words for what moved; "" if there are none. */
static void
describe(const struct structure_view *v, const struct moved *m, struct buf *b)
{
	if (m->embeddings == m->all) {
		buf_puts(b, "only embeddings");
	} else if (m->heads == m->all) {
		buf_puts(b, "only the head");
	} else if (m->biases == m->all) {
		buf_puts(b, "only biases");
	} else if (m->vectors == m->all) {
		buf_puts(b, "only 1-D tensors");
	} else if (m->attention == m->all) {
		buf_puts(b, "only attention ");
		put_attention(v, b);
		buf_puts(b, m->whole ? " in all layers" : " in some layers");
	} else if (m->layered > 0 && m->outside == m->heads &&
	    m->first > 0 && m->last + 1 == v->layers) {
		buf_printf(b, "only the last %u layers%s",
		    v->layers - m->first, m->heads > 0 ? " and the head" :
		    "");
	} else if (m->layered > 0 && m->outside == 0 &&
	    m->last - m->first + 1 < v->layers) {
		buf_printf(b, m->first == m->last ? "only layer %u" :
		    "only layers %u to %u", m->first, m->last);
	} else if (m->layered > 0 && m->first > 0) {
		buf_printf(b, "nothing in the first %u layers", m->first);
	} else if (embeddings_frozen(v)) {
		buf_puts(b, "all but embeddings");
	} else if (m->whole) {
		buf_puts(b, "whole modules, the same in all layers");
	}
}

static void
tell_kinds(const struct structure_view *v, struct basis *b)
{
	struct buf name;
	size_t shown = 0;

	basis_array(b, "modules_frozen");
	for (size_t i = 0; i < v->nmodules && shown < 64; i++) {
		const struct structure_module *m = &v->modules[i];
		const struct structure_entry *x = &v->v[m->first];

		if (m->count[STATE_SAME] != m->n || !is_weight(x))
			continue;
		buf_init(&name, WORDS);
		structure_name_module(x->name, x->len, &name);
		basis_str(b, NULL, buf_str(&name));
		buf_release(&name);
		shown++;
	}
	basis_end(b);
}

static int
tell(const struct structure_view *v, const struct structure_choice *same,
    const struct moved *m, const struct rows *rows)
{
	struct row_conclusion c = {.kind = CONCLUSION_LAYERS_FROZEN,
	    .confidence = CONFIDENCE_CERTAIN};
	struct basis b;
	struct buf words;
	int r;

	structure_tell_names(v, same, &c);
	basis_init(&b);
	buf_init(&words, WORDS);
	describe(v, m, &words);
	if (words.len > 0)
		basis_str(&b, "changed", buf_str(&words));
	basis_bool(&b, "embeddings_untouched", embeddings_frozen(v));
	basis_u64(&b, "tensors_frozen", same->n);
	basis_u64(&b, "matrices_changed", m->matrices);
	basis_u64(&b, "vectors_changed", m->vectors);
	if (v->count[STATE_UNDECIDED] > 0)
		basis_u64(&b, "rank_hidden_by_noise",
		    v->count[STATE_UNDECIDED]);
	if (m->layered > 0) {
		basis_u64(&b, "first_layer_changed", m->first);
		basis_u64(&b, "last_layer_changed", m->last);
		basis_u64(&b, "layers", v->layers);
	}
	tell_kinds(v, &b);
	c.evidence = &b;
	c.alternatives[c.nalternatives++] =
	    "tensors that no gradient reaches";
	r = rows->conclusion(rows->ctx, &c);
	buf_release(&words);
	basis_release(&b);
	return r;
}

int
structure_frozen_tell(const struct structure_view *v,
    const struct rows *rows, struct err *e)
{
	struct structure_choice same = {NULL, 0};
	struct moved m = look(v);
	size_t matrices = 0;
	int r = 0;

	if (m.all == 0)
		return 0;
	if ((same.v = calloc(v->n + 1, sizeof(*same.v))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t k = 0; k < v->n; k++)
		if (frozen(&v->v[k])) {
			same.v[same.n++] = k;
			matrices += v->v[k].matrix;
		}
	if (matrices > 0)
		r = tell(v, &same, &m, rows);
	free(same.v);
	return r;
}
