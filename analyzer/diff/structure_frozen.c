#include <string.h>

#include "analyzer/diff/structure_parts.h"
#include "analyzer/diff/tensor.h"

/*
 * What those that changed have in common, in words that are always the same,
 * so that a report can be searched for them.
 */
bool
structure_is_changed(const struct structure_part *p)
{
	return p->kind == PART_LOW || p->kind == PART_DENSE ||
	    p->kind == PART_SMALL || p->kind == PART_VECTOR ||
	    p->kind == PART_ROUNDING || p->kind == PART_TOLD;
}

static bool
all_changed(const struct structure_view *s,
    bool (*is)(const struct structure_part *p))
{
	for (size_t i = 0; i < s->n; i++)
		if (structure_is_changed(&s->v[i]) && !is(&s->v[i]))
			return false;
	return true;
}

static bool
none_changed(const struct structure_view *s,
    bool (*is)(const struct structure_part *p))
{
	size_t there = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (!is(&s->v[i]))
			continue;
		if (s->v[i].kind != PART_SAME)
			return false;
		there++;
	}
	return there > 0;
}

static bool
is_embedding(const struct structure_part *p)
{
	return p->name.embedding;
}

static bool
is_head(const struct structure_part *p)
{
	return p->name.head;
}

static bool
is_bias(const struct structure_part *p)
{
	return p->name.bias;
}

static bool
is_vector(const struct structure_part *p)
{
	return p->item->new != NULL && p->item->new->rank < 2;
}

static bool
is_attention(const struct structure_part *p)
{
	static const char *const parts[] = {"attn", "attention"};

	for (size_t i = 0; i < 2; i++)
		if (memmem(p->name.module, p->name.module_len, parts[i],
		    strlen(parts[i])) != NULL)
			return true;
	return false;
}

static bool
is_layered(const struct structure_part *p)
{
	return p->name.layer_len > 0;
}

/*
 * Only the last k layers: *last is k.  Numbers are of the longest stack of
 * layers that there is.
 */
static bool
last_layers(const struct structure_view *s, size_t *last)
{
	uint64_t most = 0, least = UINT64_MAX, highest_same = 0;
	bool same = false;

	for (size_t i = 0; i < s->n; i++) {
		const struct structure_part *p = &s->v[i];

		if (!is_layered(p)) {
			if (structure_is_changed(p) && !p->name.head &&
			    !is_vector(p))
				return false;
			continue;
		}
		if (p->name.number > most)
			most = p->name.number;
		if (structure_is_changed(p) && p->name.number < least)
			least = p->name.number;
		if (p->kind == PART_SAME && !is_vector(p)) {
			same = true;
			if (p->name.number > highest_same)
				highest_same = p->name.number;
		}
	}
	if (!same || least == UINT64_MAX || highest_same >= least)
		return false;
	*last = (size_t)(most - least + 1);
	return true;
}

/* Some modules, each in all layers. */
static bool
whole_modules(const struct structure_view *s)
{
	for (size_t i = 0; i < s->nmodules; i++) {
		const struct structure_module *m = &s->modules[i];
		size_t changed = 0;

		for (size_t k = 0; k < m->n; k++)
			changed += structure_is_changed(&m->v[k]);
		if (changed != 0 && changed != m->n)
			return false;
	}
	return true;
}

const char *
structure_pattern(const struct structure_view *s, size_t *last)
{
	*last = 0;
	if (s->count[PART_SAME] == 0)
		return NULL;
	if (all_changed(s, is_embedding))
		return "only embeddings";
	if (all_changed(s, is_head))
		return "only the head";
	if (all_changed(s, is_bias))
		return "only biases";
	if (all_changed(s, is_vector))
		return "only 1-D tensors";
	if (last_layers(s, last))
		return "only the last layers";
	if (all_changed(s, is_attention))
		return whole_modules(s) ?
		    "only attention modules, in all layers" :
		    "only attention modules";
	if (none_changed(s, is_embedding) && all_changed(s, is_layered))
		return whole_modules(s) ? "only some modules, in all layers" :
		    "only some layers";
	if (none_changed(s, is_embedding))
		return "all but embeddings";
	return "part of the tensors";
}
