#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/onnx.h"

/*
 * Architectural backdoors (ShadowLogic; arXiv 2511.00664): a part of the graph
 * asks the input for a trigger and then answers in place of the model.
 *
 * Not "has an If": looked for is a place where the main path (HEAVY) meets
 * something else and a GATE decides between them:
 *
 *	Where If Loop		one branch has the main path, the other not
 *	Add Sub Mul Min Max	a gated constant onto the main path
 *	Scatter...		a constant written over it
 *	Gather Compress		chosen from it and a constant beside it
 *
 * Three things speak for intent, each of them found alone in honest models:
 *
 *	strong	what stands in for the main path is a constant of different
 *		values, or the input itself
 *	whole	the gate asks about the input as a whole or a fixed part of it,
 *		not about each element (masks do that)
 *	near	no weights come after it, and at most NEAR operators
 *
 * All three are told as TRIGGER, two as TRIGGER_WEAK where no honest model that
 * we know has them together (a gate by saturation never counts for more), and
 * two whole main paths behind one gate as SWITCH.
 */
#define NEAR 6
#define HOPS 24			/* of a path that is told */
#define TOLD_MAX 16

enum level { LEVEL_NONE, LEVEL_SWITCH, LEVEL_WEAK, LEVEL_HIGH };

struct meeting {
	uint32_t node;
	const struct onnx_value *gate;
	const struct onnx_value *other;	/* what stands in */
	bool wide, pass, scalar;	/* a constant; the input itself */
	bool main;			/* the main path is met */
	bool direct;			/* one or the other, not a sum */
	bool both;			/* two main paths */
	bool whole, near;
};

static bool
is_gate(const struct onnx_value *v)
{
	return (v->flags & ONNX_GATE) != 0 && (v->flags & ONNX_HEAVY) == 0;
}

static bool
is_heavy(const struct onnx_value *v)
{
	return (v->flags & ONNX_HEAVY) != 0;
}

static void
relax(struct onnx *o, uint32_t v, unsigned dist, uint32_t *queue,
    uint8_t *queued, uint32_t *count)
{
	struct onnx_value *x = onnx_at(&o->values, v);

	if (v == 0 || x->dist <= dist)
		return;
	x->dist = (uint8_t)dist;
	if (queued[v] == 0) {
		queued[v] = 1;
		queue[(*count)++] = v;
	}
}

/* One level: what is needed for the values at ${dist}. */
static void
step_back(struct onnx *o, uint32_t v, unsigned dist, uint32_t *queue,
    uint8_t *queued, uint32_t *count)
{
	const struct onnx_value *x = onnx_at(&o->values, v);
	const struct onnx_node *n = onnx_at(&o->nodes, x->node);
	const struct onnx_edge *e;

	if (x->node == 0 || n->flow == ONNX_FLOW_HEAVY ||
	    n->flow == ONNX_FLOW_BODY)
		return;
	for (uint32_t i = n->in.first; i != 0; i = e->next) {
		e = onnx_at(&o->edges, i);
		relax(o, e->value, dist + 1, queue, queued, count);
	}
}

/*
 * How many cheap operators away from an output of the model each value is, by
 * levels.  Copies cost nothing: those of a level are followed within it.
 */
static int
distances(struct onnx *o)
{
	const struct onnx_scope *s = onnx_at(&o->scopes, o->main_scope);
	uint32_t *queue = arena_array(o->p->arena, o->values.count,
	    sizeof(*queue)), count = 0, from = 0, to;
	uint8_t *queued = arena_array(o->p->arena, o->values.count, 1);
	const struct onnx_edge *e;
	const struct onnx_copy *c;

	if (queue == NULL || queued == NULL)
		return err_set(o->p->e, ERR_NOMEM, "out of memory");
	for (uint32_t i = s->out.first; i != 0; i = e->next) {
		e = onnx_at(&o->edges, i);
		relax(o, e->value, 0, queue, queued, &count);
	}
	for (unsigned dist = 0; dist <= NEAR && from < count; dist++) {
		for (uint32_t at = from; at < count; at++) {
			const struct onnx_value *x = onnx_at(&o->values,
			    queue[at]);

			for (uint32_t i = x->back; i != 0; i = c->next_back) {
				c = onnx_at(&o->copies, i);
				relax(o, c->from, dist, queue, queued, &count);
			}
		}
		for (to = count; from < to; from++)
			step_back(o, queue[from], dist, queue, queued,
			    &count);
	}
	return 0;
}

/* What stands in for the main path, if ${v} can. */
static bool
stands_in(struct meeting *m, const struct onnx_value *v)
{
	const bool constant = (v->flags & (ONNX_INPUT | ONNX_CONTROL)) == 0;

	if (is_heavy(v))
		return false;
	m->other = v;
	if (constant)
		m->wide = (v->flags & ONNX_WIDE) != 0;
	else if (is_gate(v) && (v->flags & ONNX_RAW) == 0)
		m->wide = (v->flags & ONNX_MIX) != 0;
	else
		m->pass = (v->flags & ONNX_RAW) != 0;
	m->scalar = !m->wide && !m->pass;
	return true;
}

static void
meet_select(const struct onnx *o, const struct onnx_node *n,
    struct meeting *m)
{
	const struct onnx_value *x = onnx_input(o, n, 1);
	const struct onnx_value *y = onnx_input(o, n, 2);

	m->gate = onnx_input(o, n, 0);
	m->direct = true;
	if (is_heavy(x) == is_heavy(y)) {
		/* Neither is the main path yet: a constant for the input? */
		if ((x->flags & ONNX_RAW) != 0 && stands_in(m, y))
			m->main = m->wide;
		else if ((y->flags & ONNX_RAW) != 0 && stands_in(m, x))
			m->main = m->wide;
		m->near = false;
		return;
	}
	m->main = stands_in(m, is_heavy(x) ? y : x);
}

static void
meet_merge(const struct onnx *o, const struct onnx_node *n,
    struct meeting *m)
{
	const struct onnx_edge *e;
	const struct onnx_value *v;
	bool times = onnx_is(o, n->op, "Mul") || onnx_is(o, n->op, "Div");

	for (uint32_t i = n->in.first; i != 0; i = e->next) {
		e = onnx_at(&o->edges, i);
		v = onnx_at(&o->values, e->value);
		if (is_heavy(v))
			m->main = true;
		else if (is_gate(v) && (m->gate == NULL ||
		    (v->flags & ONNX_MIX) != 0))
			m->gate = m->other = v;
	}
	if (m->gate == NULL)
		return;
	m->wide = (m->gate->flags & ONNX_MIX) != 0;
	m->scalar = (m->gate->flags & ONNX_SCALED) != 0 && !times;
	if (!m->wide && !m->scalar)
		m->main = false;
}

static void
meet_scatter(const struct onnx *o, const struct onnx_node *n,
    struct meeting *m)
{
	const struct onnx_value *at = onnx_input(o, n, 1);
	const struct onnx_value *what = onnx_input(o, n, 2);

	m->gate = is_gate(at) ? at : what;
	m->direct = true;
	m->main = is_heavy(onnx_input(o, n, 0)) && stands_in(m, what);
	/* A gate that is written is a value of its own. */
	if (is_gate(what) && (what->flags & ONNX_RAW) == 0)
		m->wide = true;
}

static void
meet_pick(const struct onnx *o, const struct onnx_node *n, struct meeting *m)
{
	const struct onnx_value *data = onnx_input(o, n, 0);

	if (onnx_is(o, n->op, "NonMaxSuppression"))
		return;
	m->gate = onnx_input(o, n, 1);
	m->other = data;
	m->direct = m->wide = true;
	m->main = is_heavy(data) && (data->flags & ONNX_PART) != 0;
}

/* A branch that has weights of its own: another model, not another scale. */
static bool
is_model(const struct onnx *o, const struct onnx_node *n,
    const struct onnx_value *v)
{
	return v->scope != n->scope && is_heavy(v) &&
	    ONNX_AT(onnx_scope, &o->scopes, v->scope)->heavy;
}

/* The values that a branch or an iteration gives for one output. */
static void
meet_body(const struct onnx *o, const struct onnx_node *n,
    const struct onnx_value *out, struct meeting *m)
{
	const struct onnx_value *raw = NULL, *v;
	const struct onnx_copy *c;
	unsigned heavy = 0, others = 0, models = 0;

	if (n->function != 0)
		return;
	m->gate = onnx_input(o, n, 0);
	if (!is_gate(m->gate) && onnx_is(o, n->op, "Loop"))
		m->gate = onnx_input(o, n, 1);
	m->direct = m->whole = true;
	for (uint32_t i = out->back; i != 0; i = c->next_back) {
		c = onnx_at(&o->copies, i);
		v = onnx_at(&o->values, c->from);
		models += is_model(o, n, v);
		if (is_heavy(v))
			heavy++;
		else if ((v->flags & ONNX_RAW) != 0 && raw == NULL)
			raw = v;
		else if (stands_in(m, v))
			others++;
	}
	if (onnx_is(o, n->op, "Loop"))
		heavy += is_heavy(onnx_input(o, n, 2 + out->out));
	if (raw != NULL && others == 0 && heavy > 0)
		others += stands_in(m, raw);
	m->main = others > 0 && (heavy > 0 || (raw != NULL && m->wide));
	m->near = m->near && heavy > 0;
	m->both = models > 1 && others == 0;
}

static enum level
judge(const struct meeting *m)
{
	const bool strong = m->wide || m->pass;

	if (m->gate == NULL || !is_gate(m->gate))
		return LEVEL_NONE;
	if (m->both)
		return (m->gate->flags & ONNX_SOFT) != 0 ? LEVEL_NONE :
		    LEVEL_SWITCH;
	if (!m->main)
		return LEVEL_NONE;
	if ((m->gate->flags & ONNX_SOFT) != 0)
		return strong && m->whole && m->near ? LEVEL_WEAK :
		    LEVEL_NONE;
	if (strong && m->whole && m->near)
		return LEVEL_HIGH;
	if ((strong && m->whole && m->direct) ||
	    (m->scalar && m->whole && m->near) ||
	    (m->wide && m->near && (m->gate->flags & ONNX_RAW) == 0))
		return LEVEL_WEAK;
	return LEVEL_NONE;
}

static enum level
look(const struct onnx *o, uint32_t node, const struct onnx_edge *out,
    struct meeting *m)
{
	const struct onnx_node *n = onnx_at(&o->nodes, node);
	const struct onnx_value *v = onnx_at(&o->values, out->value);

	*m = (struct meeting){.node = node, .near = v->dist <= NEAR};
	switch ((enum onnx_flow)n->flow) {
	case ONNX_FLOW_SELECT:
		meet_select(o, n, m);
		break;
	case ONNX_FLOW_MERGE:
		meet_merge(o, n, m);
		break;
	case ONNX_FLOW_SCATTER:
		meet_scatter(o, n, m);
		break;
	case ONNX_FLOW_PICK:
	case ONNX_FLOW_DYNAMIC:
		meet_pick(o, n, m);
		break;
	case ONNX_FLOW_BODY:
		meet_body(o, n, v, m);
		break;
	case ONNX_FLOW_HEAVY:
	case ONNX_FLOW_CHEAP:
	case ONNX_FLOW_COMPARE:
	case ONNX_FLOW_SATURATE:
	case ONNX_FLOW_CAST:
	case ONNX_FLOW_REDUCE:
	case ONNX_FLOW_REDUCE_ONE:
	case ONNX_FLOW_UNSQUEEZE:
	case ONNX_FLOW_SHAPE:
	case ONNX_FLOW_CONST:
	case ONNX_FLOW_CONCAT:
	case ONNX_FLOW_WIDEN:
		return LEVEL_NONE;
	}
	m->whole = m->whole || (m->gate != NULL && m->gate->net > 0);
	return judge(m);
}

/* The place where the truth value was made. */
static uint32_t
origin(const struct onnx *o, const struct onnx_value *v)
{
	uint32_t at = v->from;

	for (unsigned i = 0; i < HOPS && at != 0; i++) {
		const struct onnx_value *x = onnx_at(&o->values, at);

		if ((x->flags & ONNX_GATE) == 0)
			return at;
		at = x->from;
	}
	return at;
}

static void
put(char *path, size_t cap, size_t *n, const char *p, size_t len)
{
	if (len > cap - *n)
		len = cap - *n;
	memcpy(path + *n, p, len);
	*n += len;
}

/* "input > Slice:name > Equal:name", from the input to the gate. */
static size_t
render_path(const struct onnx *o, const struct onnx_value *gate, char *path,
    size_t cap)
{
	const struct onnx_value *chain[HOPS], *v = gate;
	unsigned count = 0;
	size_t n = 0;

	for (;;) {
		chain[count++] = v;
		if (v->from == 0 || count == HOPS)
			break;
		v = onnx_at(&o->values, v->from);
	}
	while (count-- > 0) {
		const struct onnx_node *p;

		v = chain[count];
		p = onnx_at(&o->nodes, v->node);
		if (n > 0)
			put(path, cap, &n, " > ", 3);
		if (v->node != 0) {
			put(path, cap, &n, onnx_text(o, p->op),
			    onnx_text_len(o, p->op));
			put(path, cap, &n, ":", 1);
		}
		put(path, cap, &n, onnx_text(o, v->name),
		    onnx_text_len(o, v->name));
	}
	return n;
}

/* The constant that comes through: itself, or what was mixed into a gate. */
static const struct onnx_value *
find_constant(const struct onnx *o, const struct onnx_value *v)
{
	const struct onnx_value *in, *next;
	const struct onnx_edge *e;

	for (unsigned hop = 0; hop < HOPS && is_gate(v); hop++) {
		const struct onnx_node *n = onnx_at(&o->nodes, v->node);

		next = v;
		for (uint32_t i = n->in.first; i != 0; i = e->next) {
			e = onnx_at(&o->edges, i);
			in = onnx_at(&o->values, e->value);
			if ((in->flags & (ONNX_INPUT | ONNX_WIDE)) == ONNX_WIDE)
				return in;
			if ((in->flags & ONNX_MIX) != 0)
				next = in;
		}
		if (next == v)
			return v;
		v = next;
	}
	return v;
}

static int
tell(struct onnx *o, enum anomaly id, const struct meeting *m)
{
	static char path[2048];
	const struct onnx_node *n = onnx_at(&o->nodes, m->node);
	const size_t path_len = render_path(o, m->gate, path, sizeof(path));
	const struct onnx_value *c = m->other != NULL ?
	    find_constant(o, m->other) : onnx_at(&o->values, 0);
	const char *kind = m->both ? "another main path" : m->pass ?
	    "the input itself" : "a constant";
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "operator", n->op),
	    ONNX_FACT_NAME(o, "node", n->name),
	    FACT_TEXT("instead", kind, strlen(kind)),
	    ONNX_FACT_NAME(o, "constant", c->name),
	    FACT_TEXT("path", path, path_len),
	    FACT_NUM("axes_reduced", m->gate->net > 0 ?
	    (uint64_t)m->gate->net : 0),
	    FACT_NUM("near_output", m->near)};

	return onnx_tell(o, id, n->off, 0, facts, 7);
}

/* Of all that one comparison decides only the worst is told. */
static int
tell_level(struct onnx *o, enum level level, enum anomaly id,
    unsigned *told)
{
	const struct onnx_edge *e;
	struct meeting m;
	bool fresh;
	int r = 0;

	for (uint32_t k = 1; k < o->nodes.count && r >= 0; k++) {
		const struct onnx_node *n = onnx_at(&o->nodes, k);

		for (uint32_t i = n->out.first; i != 0 && r >= 0 &&
		    *told < TOLD_MAX; i = e->next) {
			e = onnx_at(&o->edges, i);
			if (look(o, k, e, &m) != level)
				continue;
			(void)onnx_pair(o, ONNX_PAIR_ORIGIN, 0,
			    origin(o, m.gate), &fresh);
			if (!fresh)
				continue;
			++*told;
			r = tell(o, id, &m);
		}
	}
	return r;
}

int
onnx_triggers(struct onnx *o)
{
	unsigned told = 0;
	int r;

	if ((r = distances(o)) < 0 ||
	    (r = tell_level(o, LEVEL_HIGH, ANOMALY_ONNX_TRIGGER,
	    &told)) < 0 ||
	    (r = tell_level(o, LEVEL_WEAK, ANOMALY_ONNX_TRIGGER_WEAK,
	    &told)) < 0)
		return r;
	return tell_level(o, LEVEL_SWITCH, ANOMALY_ONNX_SWITCH, &told);
}
