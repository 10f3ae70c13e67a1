#include "analyzer/intake/members.h"
#include "analyzer/intake/registry_worker.h"
#include "analyzer/intake/regwire.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/anydigest.h"

#define CLASSES (1U << BAG_WEIGHTS | 1U << BAG_REGISTRY | \
	1U << BAG_TRAINING | 1U << BAG_OTHER)

static int
work(struct regwire *w)
{
	struct reg_events ev;
	struct reg_tree t;
	int r;

	if ((r = members_load(w->m, CLASSES, w->arena, w->e)) < 0 ||
	    (r = regwire_tree(w, &t)) < 0)
		return r;
	regwire_events(w, &ev);
	if ((r = reg_run(&t, NULL, &ev, w->arena, w->e)) < 0)
		return r;
	return regwire_end(w);
}

int
registry_worker_main(void *arg, int out_fd)
{
	struct err e = ERR_INIT;
	struct members m;
	struct regwire w = {.m = &m, .e = &e};
	int r;

	if (members_receive(&m, arg, &e) < 0 || anydigest_start(&e) < 0 ||
	    members_fence(out_fd, &e) < 0 ||
	    (w.arena = arena_new(LIMIT_INTAKE_ARENA)) == NULL)
		return 2;
	outbox_init(&w.out, out_fd);
	r = work(&w);
	outbox_release(&w.out);
	members_release(&m);
	arena_free(w.arena);
	return r < 0 ? 1 : 0;
}
