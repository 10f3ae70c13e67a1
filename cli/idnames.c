#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/idnames.h"

/* A slot for each number modulo the size; a collision asks again. */
#define SLOTS 1024

struct slot {
	uint32_t id;
	bool known;
	char *name;	/* NULL: it has none */
};

static void
keep(struct slot *s, uint32_t id, const char *name)
{
	free(s->name);
	s->id = id;
	s->known = true;
	s->name = name != NULL ? strdup(name) : NULL;
}

const char *
idnames_user(uid_t uid)
{
	static struct slot slots[SLOTS];
	struct slot *s = &slots[uid % SLOTS];
	const struct passwd *p;

	if (!s->known || s->id != uid) {
		p = getpwuid(uid);
		keep(s, uid, p != NULL ? p->pw_name : NULL);
	}
	return s->name;
}

const char *
idnames_group(gid_t gid)
{
	static struct slot slots[SLOTS];
	struct slot *s = &slots[gid % SLOTS];
	const struct group *g;

	if (!s->known || s->id != gid) {
		g = getgrgid(gid);
		keep(s, gid, g != NULL ? g->gr_name : NULL);
	}
	return s->name;
}
