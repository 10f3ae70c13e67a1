#include <fcntl.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/glob.h"
#include "collector/plan.h"
#include "collector/plan_keys.h"
#include "collector/throttle.h"
#include "collector/value.h"
#include "custody/digest.h"

/* Nodes are some 80 bytes for at least two of the text. */
#define ARENA (64 * LIMIT_PLAN)

static int
take_excludes(struct plan_parse *p, const struct plan_node *v, void *at)
{
	struct plan *plan = at;
	size_t n = 0;
	int r;

	if (v->kind != PLAN_LIST)
		return plan_error(p->name, v, p->e,
		    "exclude is a list of patterns");
	for (const struct plan_node *x = v->first; x != NULL; x = x->next)
		n++;
	if ((plan->excludes = arena_array(p->arena, n + 1,
	    sizeof(*plan->excludes))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	for (const struct plan_node *x = v->first; x != NULL; x = x->next) {
		const char **to = &plan->excludes[plan->nexcludes++];

		if ((r = plan_take_text(p, x, to)) < 0)
			return r;
		if (!glob_ok(*to))
			return plan_error(p->name, x, p->e,
			    "the pattern cannot match anything");
	}
	return 0;
}

static int
take_mounts(struct plan_parse *p, const struct plan_node *v, void *at)
{
	static const char *const names[] = {[COLLECT_MOUNTS_ALL] = "all",
	    [COLLECT_MOUNTS_LOCAL] = "local", [COLLECT_MOUNTS_NONE] = "none"};
	struct plan *plan = at;

	for (unsigned i = 0; v->kind == PLAN_TEXT && i < sizeof(names) /
	    sizeof(names[0]); i++)
		if (strcmp(v->text, names[i]) == 0) {
			if (plan->has_mounts)
				break;
			plan->has_mounts = true;
			plan->mounts = (enum collect_mounts)i;
			return 0;
		}
	return plan_error(p->name, v, p->e, "follow-mounts is all, local or "
	    "none, and stands alone");
}

static int
take_one_fs(struct plan_parse *p, const struct plan_node *v, void *at)
{
	struct plan *plan = at;
	bool one;
	int r;

	if ((r = plan_take_bool(p, v, &one)) < 0)
		return r;
	if (plan->has_mounts)
		return plan_error(p->name, v, p->e,
		    "one-file-system and follow-mounts say the same");
	plan->has_mounts = true;
	plan->mounts = one ? COLLECT_MOUNTS_NONE : COLLECT_MOUNTS_ALL;
	return 0;
}

static int
take_nice(struct plan_parse *p, const struct plan_node *v, void *at)
{
	struct plan *plan = at;
	uint64_t nice;

	if (v->kind != PLAN_TEXT || !value_number(v->text, v->n,
	    THROTTLE_NICE_MAX, &nice))
		return plan_error(p->name, v, p->e, "nice is 0 to %d",
		    THROTTLE_NICE_MAX);
	plan->has_nice = true;
	plan->nice = (int)nice;
	return 0;
}

static int
take_scope(struct plan_parse *p, const struct plan_node *v, void *at)
{
	static const struct plan_key keys[] = {
	    {"exclude", take_excludes, 0},
	    {"follow-mounts", take_mounts, 0},
	    {"one-file-system", take_one_fs, 0}};
	static const struct plan_table table = {"scope", keys, 3};
	uint32_t seen;

	return plan_take_map(p, v, &table, at, &seen);
}

static int
take_limits(struct plan_parse *p, const struct plan_node *v, void *at)
{
	static const struct plan_key keys[] = {
	    {"rate", plan_take_size, offsetof(struct plan, rate)},
	    {"nice", take_nice, 0},
	    {"max-bytes", plan_take_size, offsetof(struct plan, max_bytes)}};
	static const struct plan_table table = {"limits", keys, 3};
	uint32_t seen;

	return plan_take_map(p, v, &table, at, &seen);
}

/* Sources last, whatever the order: they look at the limits. */
static int
take_later(struct plan_parse *p, const struct plan_node *v, void *at)
{
	(void)p;
	(void)v;
	(void)at;
	return 0;
}

static const struct plan_key top[] = {
    {"case", plan_take_text, offsetof(struct plan, case_id)},
    {"exhibit", plan_take_text, offsetof(struct plan, exhibit)},
    {"authority", plan_take_text, offsetof(struct plan, authority)},
    {"purpose", plan_take_text, offsetof(struct plan, purpose)},
    {"examiner", plan_take_text, offsetof(struct plan, examiner)},
    {"organisation", plan_take_text, offsetof(struct plan, organisation)},
    {"contact", plan_take_text, offsetof(struct plan, contact)},
    {"witness", plan_take_text, offsetof(struct plan, witness)},
    {"write-blocker", plan_take_text, offsetof(struct plan, write_blocker)},
    {"scope", take_scope, 0},
    {"limits", take_limits, 0},
    {"sources", take_later, 0},
};

static int
take_plan(struct plan_parse *p, const struct plan_node *root)
{
	static const struct plan_table table = {"a plan", top,
	    sizeof(top) / sizeof(top[0])};
	uint32_t seen;
	int r;

	if ((r = plan_take_map(p, root, &table, p->plan, &seen)) < 0)
		return r;
	for (const struct plan_node *k = root->first; k != NULL;
	    k = k->next->next)
		if (strcmp(k->text, "sources") == 0)
			return plan_take_sources(p, k->next, p->plan);
	return plan_error(p->name, root, p->e, "a plan has sources");
}

static struct plan *
plan_new(void)
{
	struct arena *a = arena_new(ARENA);
	struct plan *p = a != NULL ? arena_alloc(a, sizeof(*p)) : NULL;

	if (p != NULL)
		p->arena = a;
	else
		arena_free(a);
	return p;
}

void
plan_free(struct plan *p)
{
	if (p != NULL)
		arena_free(p->arena);
}

int
plan_parse(const char *name, const void *p, size_t n, struct plan **ret,
    struct err *e)
{
	struct plan *plan = plan_new();
	struct plan_node *root = NULL;
	struct plan_parse parse = {.plan = plan, .e = e};
	struct digests d;
	char shown[80];
	int r = ERR_NOMEM;

	if (plan == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	parse.arena = plan->arena;
	parse.name = text_z(shown, sizeof(shown), name, strlen(name));
	if (n > LIMIT_PLAN) {
		r = err_set(e, ERR_LIMIT, "%s: a plan has at most %zu bytes",
		    parse.name, LIMIT_PLAN);
		goto out;
	}
	if ((plan->record.path = arena_dup(plan->arena, name,
	    strlen(name))) == NULL ||
	    (plan->record.bytes = (const uint8_t *)arena_dup(plan->arena, p,
	    n)) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	plan->record.n = n;
	if ((r = digest_mem(p, n, DIGEST_SHA256, &d, e)) < 0 ||
	    (r = plan_yaml(parse.name, p, n, plan->arena, &root, e)) < 0 ||
	    (r = take_plan(&parse, root)) < 0)
		goto out;
	memcpy(plan->record.sha256, d.sha256, 32);
	*ret = plan;
	plan = NULL;
out:
	plan_free(plan);
	return r < 0 ? r : 0;
}

int
plan_read(const char *path, struct plan **ret, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, LIMIT_PLAN);
	if ((r = fsio_read_file(AT_FDCWD, path, LIMIT_PLAN, &b, e)) >= 0)
		r = plan_parse(path, b.len > 0 ? (const void *)b.p : "",
		    b.len, ret, e);
	buf_release(&b);
	return r;
}
