#ifndef ANALYZER_INTAKE_REGWIRE_H_
#define ANALYZER_INTAKE_REGWIRE_H_

#include "analyzer/intake/outbox.h"
#include "formats/reg/reg.h"

struct arena;
struct buf;
struct err;
struct frame;
struct members;

/*
 * Rows and problems of registries from a worker to a line: what the workers
 * that read registries and git repositories share.
 */
struct regwire {
	struct members *m;
	struct arena *arena;
	struct outbox out;
	struct err *e;
};

/* regwire_tree: the members as a tree below "/"; it points into ${w}. */
int regwire_tree(struct regwire *w, struct reg_tree *t);
/* regwire_events: consumers that send to the parent. */
void regwire_events(struct regwire *w, struct reg_events *ev);
/* regwire_end: what is left, and whether members were left out. */
int regwire_end(struct regwire *w);

/*
 * regwire_line: the parent's side, as struct intake_kind wants it
 * (collector/intake.h): rows to registry.jsonl, problems to findings.jsonl.
 */
int regwire_line(const struct frame *f, const char **name, struct buf *b,
    struct err *e);

#endif /* !ANALYZER_INTAKE_REGWIRE_H_ */
