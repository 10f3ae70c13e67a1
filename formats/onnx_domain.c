#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/onnx.h"

/*
 * Operators by domain: which run what is not in the graph, which no runtime
 * that we know has, which a local function replaces.
 *
 * An operator that runs foreign code is told as its node is read, whatever
 * else the file does to our tables: every name that counts here is compared
 * with the text, and a full table of names only costs names that came after
 * those which were seen first.
 */
#define OP(name, flow, data) {name, ONNX_FLOW_##flow, data, true},
#define MORE(name, flow, data)
static const struct onnx_op standard[] = {
#include "formats/onnx_ops.def"
};
#undef OP
#undef MORE
#define OP(name, flow, data)
#define MORE(name, flow, data) {name, ONNX_FLOW_##flow, data, false},
static const struct onnx_op more[] = {
#include "formats/onnx_ops.def"
};
#undef OP
#undef MORE

static const struct domain {
	const char *name;
	bool standard;
} domains[] = {
#define STANDARD(name) {name, true},
#define DOMAIN(name) {name, false},
#define FOREIGN(domain, op, why)
#include "formats/onnx_domains.def"
#undef STANDARD
#undef DOMAIN
#undef FOREIGN
};

static const struct foreign {
	const char *domain, *op, *why;
} foreign[] = {
#define STANDARD(name)
#define DOMAIN(name)
#define FOREIGN(domain, op, why) {domain, op, why},
#include "formats/onnx_domains.def"
#undef STANDARD
#undef DOMAIN
#undef FOREIGN
};

/* Numbers of a domain with an overload, apart from those of names. */
#define OVERLOAD 0x80000000U

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct onnx_op *)row)->name);
}

const struct onnx_op *
onnx_op(const struct onnx *o, uint32_t name)
{
	const char *text = onnx_text(o, name);
	const struct onnx_op *op;

	if (strlen(text) != onnx_text_len(o, name))
		return NULL;
	op = bsearch(text, standard, COUNT(standard), sizeof(standard[0]),
	    compare);
	for (size_t i = 0; op == NULL && i < COUNT(more); i++)
		if (strcmp(text, more[i].name) == 0)
			op = &more[i];
	return op;
}

static const struct domain *
find_domain(const struct onnx *o, uint32_t domain)
{
	for (size_t i = 0; i < COUNT(domains); i++)
		if (onnx_is(o, domain, domains[i].name))
			return &domains[i];
	return NULL;
}

static bool
op_is(const struct onnx *o, uint32_t op, const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] != '*')
		return onnx_is(o, op, pattern);
	return onnx_text_len(o, op) >= n - 1 &&
	    memcmp(onnx_text(o, op), pattern, n - 1) == 0;
}

static const struct foreign *
find_foreign(const struct onnx *o, uint32_t domain, uint32_t op)
{
	for (size_t i = 0; i < COUNT(foreign); i++)
		if ((foreign[i].domain == NULL ||
		    onnx_is(o, domain, foreign[i].domain)) &&
		    op_is(o, op, foreign[i].op))
			return &foreign[i];
	return NULL;
}

/*
 * EPContext: ep_cache_context is the compiled blob itself, or the name of a
 * file with it (com.microsoft, embed_mode).
 */
static int
check_context(struct onnx *o, const struct onnx_frame *f)
{
	const uint64_t off = f->u.node.context_off, len =
	    f->u.node.context_len;
	struct ev_member m = {.name = "ep_cache_context", .name_len = 16,
	    .off = off, .size = len, .flags = MEMBER_VIRTUAL | MEMBER_STORED};
	const struct pb_field w = {.at = off, .len = len};
	struct bytesrc *src;
	uint32_t path;
	int r;

	if (len == 0)
		return 0;
	if (!f->u.node.embed) {
		if ((r = onnx_intern_field(o, &w, &path)) < 0)
			return r;
		return onnx_external_path(o, path, f->off);
	}
	if ((src = bytesrc_range(o->p->src, off, len, o->p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(o->p, &m);
	bytesrc_free(src);
	return r;
}

int
onnx_check_op(struct onnx *o, const struct onnx_frame *f)
{
	const struct onnx_node *n = onnx_at(&o->nodes, f->u.node.index);
	const struct foreign *w = find_foreign(o, f->u.node.domain,
	    f->u.node.op);
	struct fact facts[] = {
	    ONNX_FACT_NAME(o, "operator", f->u.node.op),
	    ONNX_FACT_NAME(o, "domain", f->u.node.domain),
	    ONNX_FACT_NAME(o, "node", n->name), FACT_TEXT("why", "", 0)};
	int r;

	if (w == NULL)
		return 0;
	facts[3] = (struct fact)FACT_TEXT("why", w->why, strlen(w->why));
	if ((r = onnx_tell(o, ANOMALY_ONNX_FOREIGN_OP, f->off, f->len, facts,
	    4)) < 0)
		return r;
	return onnx_is(o, f->u.node.op, "EPContext") ?
	    check_context(o, f) : 0;
}

/*
 * A function of the model is taken in place of the operator of its name, if
 * the runtime has none of its own, or even if it has: then readers differ.
 */
int
onnx_check_function(struct onnx *o, uint32_t index)
{
	struct onnx_function *fn = onnx_at(&o->functions, index);
	const struct domain *d = find_domain(o, fn->domain);
	const struct onnx_op *op = onnx_op(o, fn->name);
	struct onnx_pair *pair;
	uint32_t key;
	bool fresh;
	int r;

	if (d != NULL && d->standard && op != NULL && op->standard &&
	    (r = onnx_tell_name(o, ANOMALY_ONNX_SHADOW, fn->off, "function",
	    fn->name)) < 0)
		return r;
	key = fn->domain;
	if (fn->overload != 0) {
		pair = onnx_pair(o, ONNX_PAIR_OVERLOAD, fn->domain,
		    fn->overload, &fresh);
		if (fresh)
			pair->value = OVERLOAD | index;
		key = pair->value;
	}
	pair = onnx_pair(o, ONNX_PAIR_FUNCTION, key, fn->name, &fresh);
	if (pair->value == 0)
		pair->value = index;
	else if (!fresh && !o->full)
		return onnx_tell_name(o, ANOMALY_ONNX_DEFINED_TWICE, fn->off,
		    "function", fn->name);
	return 0;
}

static uint32_t
find_function(const struct onnx *o, const struct onnx_node *n)
{
	uint32_t key = n->domain;

	if (n->overload != 0 && (key = onnx_find(o, ONNX_PAIR_OVERLOAD,
	    n->domain, n->overload)) == 0)
		return 0;
	return onnx_find(o, ONNX_PAIR_FUNCTION, key, n->op);
}

/* The scope whose operator set imports count: a function's, or the model's. */
static uint32_t
import_scope(const struct onnx *o, uint32_t scope)
{
	const struct onnx_scope *s = onnx_at(&o->scopes, scope);

	for (unsigned i = 0; i < LIMIT_PB_DEPTH && s->parent != 0; i++) {
		scope = s->parent;
		s = onnx_at(&o->scopes, scope);
	}
	return s->function != 0 ? scope : 0;
}

static int
tell_op(struct onnx *o, enum anomaly id, const struct onnx_node *n)
{
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "operator", n->op),
	    ONNX_FACT_NAME(o, "domain", n->domain),
	    ONNX_FACT_NAME(o, "node", n->name)};

	return onnx_tell(o, id, n->off, 0, facts, 3);
}

/* Once for each operator, and once for each domain that is not imported. */
static int
check_node(struct onnx *o, const struct onnx_node *n)
{
	const struct domain *d = find_domain(o, n->domain);
	const struct onnx_op *op;
	uint32_t scope;
	bool fresh;
	int r;

	(void)onnx_pair(o, ONNX_PAIR_OP, n->domain, n->op, &fresh);
	if (fresh && n->function == 0 &&
	    find_foreign(o, n->domain, n->op) == NULL) {
		op = onnx_op(o, n->op);
		if (d == NULL)
			r = tell_op(o, ANOMALY_ONNX_DOMAIN, n);
		else if (d->standard && (op == NULL || !op->standard))
			r = tell_op(o, ANOMALY_ONNX_UNKNOWN_OP, n);
		else
			r = 0;
		if (r < 0)
			return r;
	}
	scope = import_scope(o, n->scope);
	if (o->cut || onnx_find(o, ONNX_PAIR_OPSET, scope, n->domain) != 0)
		return 0;
	(void)onnx_pair(o, ONNX_PAIR_DOMAIN, scope, n->domain, &fresh);
	return fresh ? tell_op(o, ANOMALY_ONNX_OPSET, n) : 0;
}

/*
 * Functions that call one another in a circle: who expands them does not end
 * (GHSA-7w46-vvrh-m8q5).  Functions that nobody calls any more are taken away
 * until none is left, or a circle.
 */
static int
check_circles(struct onnx *o)
{
	const uint32_t count = o->functions.count;
	uint32_t left = count - 1, before = 0, in;
	uint8_t *gone;

	if (left == 0)
		return 0;
	if ((gone = arena_array(o->p->arena, count, 2)) == NULL)
		return err_set(o->p->e, ERR_NOMEM, "out of memory");
	/* gone[f]: taken away; gone[count + f]: called by one that is not. */
	for (unsigned depth = 0; left > 0 && left != before &&
	    depth < ONNX_CALLS; depth++) {
		before = left;
		memset(gone + count, 0, count);
		for (uint32_t i = 1; i < o->nodes.count; i++) {
			const struct onnx_node *n = onnx_at(&o->nodes, i);

			in = import_scope(o, n->scope);
			in = ONNX_AT(onnx_scope, &o->scopes, in)->function;
			if (n->function != 0 && in != 0 && gone[in] == 0)
				gone[count + n->function] = 1;
		}
		for (uint32_t i = 1; i < count; i++)
			if (gone[i] == 0 && gone[count + i] == 0) {
				gone[i] = 1;
				left--;
			}
	}
	if (left == 0)
		return 0;
	for (in = 1; in < count && gone[in] != 0; in++)
		;
	return onnx_tell_name(o, ANOMALY_ONNX_RECURSION,
	    ONNX_AT(onnx_function, &o->functions, in)->off, "function",
	    ONNX_AT(onnx_function, &o->functions, in)->name);
}

int
onnx_domains(struct onnx *o)
{
	int r = 0;

	for (uint32_t i = 1; i < o->nodes.count && r >= 0; i++) {
		struct onnx_node *n = onnx_at(&o->nodes, i);

		n->function = find_function(o, n);
		r = check_node(o, n);
	}
	return r < 0 ? r : check_circles(o);
}
