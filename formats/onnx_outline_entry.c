#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/onnx_outline_value.h"

/*
 * What is said of the model: texts, pairs of key and value, operator sets;
 * and names and attributes, which others need too.
 */
uint32_t
onnx_outline_attr(struct onnx_outline *o, struct outline_list *l)
{
	uint32_t i = onnx_outline_add(o, &o->attrs);
	struct outline_attr *a = OUTLINE_AT(outline_attr, &o->attrs, i);

	memset(a, 0, sizeof(*a));
	a->value.text = "";
	a->value.whole = true;
	if (i == 0)
		return 0;
	if (l->last != 0)
		OUTLINE_AT(outline_attr, &o->attrs, l->last)->next = i;
	else
		l->first = i;
	l->last = i;
	l->count++;
	return i;
}

int
onnx_outline_name_field(struct outline_read *r, const struct pb_field *w,
    uint32_t *ret)
{
	size_t n;
	int rc;

	if ((rc = pbwire_copy(&r->w, w, r->scratch, sizeof(r->scratch), &n,
	    r->e)) < 0)
		return rc;
	r->o->cut |= w->len > n;
	*ret = onnx_outline_intern(r->o, r->scratch, n);
	return 0;
}

uint32_t
onnx_outline_domain(struct outline_read *r, uint32_t domain)
{
	const struct outline_name n = onnx_outline_name(r->o->names, domain);

	return n.n == 7 && memcmp(n.p, "ai.onnx", 7) == 0 ? 0 : domain;
}

/* Text of any length as a value. */
int
onnx_outline_text_field(struct outline_read *r, const struct pb_field *w,
    struct outline_value *ret)
{
	size_t n;
	int rc;

	if ((rc = pbwire_copy(&r->w, w, r->scratch, OUTLINE_TEXT, &n,
	    r->e)) < 0)
		return rc;
	ret->text = arena_dup(r->o->a, r->scratch, n);
	ret->len = (uint32_t)n;
	ret->whole = n == w->len;
	ret->off = w->at;
	ret->size = w->len;
	return ret->text != NULL ? 0 :
	    err_set(r->e, ERR_NOMEM, "out of memory");
}

static int
number_value(struct outline_read *r, uint64_t v, struct outline_value *ret)
{
	const struct outline_frame nowhere = {.whole = true};
	struct buf b;
	int rc;

	buf_init(&b, 64);
	buf_printf(&b, "%lld", (long long)v);
	rc = onnx_outline_value(r, &b, true, &nowhere, ret);
	buf_release(&b);
	return rc;
}

/* "word" or "word[inner]" from the arena. */
static struct outline_name
bracketed(struct outline_read *r, const char *word, struct outline_name in)
{
	size_t n = strlen(word);
	struct outline_name ret = {"", 0};
	char *p = arena_alloc(r->o->a, n + in.n + 3);

	if (p == NULL) {
		r->o->cut = true;
		return ret;
	}
	memcpy(p, word, n);
	ret.p = p;
	p[n++] = '[';
	memcpy(p + n, in.p, in.n);
	p[n + in.n] = ']';
	ret.n = (uint32_t)n + in.n + 1;
	return ret;
}

static void
add_fact(struct outline_read *r, struct outline_name key,
    const struct outline_value *v)
{
	uint32_t i = onnx_outline_add(r->o, &r->o->facts);
	struct outline_fact *f = OUTLINE_AT(outline_fact, &r->o->facts, i);

	f->key = key;
	f->value = *v;
}

int
onnx_outline_fact(struct outline_read *r, const char *key,
    const struct pb_field *w)
{
	const struct outline_name name = {key, (uint32_t)strlen(key)};
	struct outline_value v;
	int rc = w->type == PB_VARINT ? number_value(r, w->value, &v) :
	    onnx_outline_text_field(r, w, &v);

	if (rc == 0)
		add_fact(r, name, &v);
	return rc;
}

int
onnx_outline_entry_begin(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	(void)up;
	(void)f;
	memset(&r->entry, 0, sizeof(r->entry));
	r->entry.key.p = r->entry.value.text = "";
	r->entry.value.whole = true;
	return 0;
}

int
onnx_outline_entry_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	struct outline_value key;
	int rc;

	(void)f;
	if (w->number == ONNX_ENTRY_VALUE)
		return onnx_outline_text_field(r, w, &r->entry.value);
	if (w->number != ONNX_ENTRY_KEY)
		return 0;
	if ((rc = onnx_outline_text_field(r, w, &key)) < 0)
		return rc;
	r->o->cut |= !key.whole;
	r->entry.key.p = key.text;
	r->entry.key.n = key.len;
	return 0;
}

int
onnx_outline_entry_end(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct outline_name key = bracketed(r, up->id == ONNX_GRAPH ?
	    "graph.metadata_props" : "metadata_props", r->entry.key);
	struct outline_attr *a;
	uint32_t i;

	if (up->id == ONNX_MODEL || (up->id == ONNX_GRAPH &&
	    f->scope == r->o->main)) {
		add_fact(r, key, &r->entry.value);
	} else if (up->id == ONNX_NODE) {
		i = onnx_outline_attr(r->o, &OUTLINE_AT(outline_node,
		    &r->o->nodes, up->index)->attrs);
		a = OUTLINE_AT(outline_attr, &r->o->attrs, i);
		a->name = onnx_outline_intern(r->o, key.p, key.n);
		a->value = r->entry.value;
	}
	return 0;
}

int
onnx_outline_opset_field(struct outline_read *r, struct outline_frame *f,
    const struct pb_field *w)
{
	(void)f;
	if (w->number == ONNX_OPSET_DOMAIN)
		return onnx_outline_name_field(r, w, &r->entry.domain);
	if (w->number == ONNX_OPSET_VERSION)
		r->entry.version = w->value;
	return 0;
}

int
onnx_outline_opset_end(struct outline_read *r, const struct outline_frame *up,
    struct outline_frame *f)
{
	struct outline_name domain = onnx_outline_name(r->o->names,
	    onnx_outline_domain(r, r->entry.domain)), key;
	struct outline_value v;
	struct outline_attr *a;
	int rc = number_value(r, r->entry.version, &v);

	if (rc < 0)
		return rc;
	if (domain.n == 0)
		domain = (struct outline_name){"ai.onnx", 7};
	key = bracketed(r, "opset_import", domain);
	if (up->id == ONNX_MODEL) {
		add_fact(r, key, &v);
		return 0;
	}
	a = OUTLINE_AT(outline_attr, &r->o->attrs, onnx_outline_attr(r->o,
	    &OUTLINE_AT(outline_scope, &r->o->scopes, f->scope)->attrs));
	a->name = onnx_outline_intern(r->o, key.p, key.n);
	a->value = v;
	return 0;
}
