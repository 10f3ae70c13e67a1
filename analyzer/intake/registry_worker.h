#ifndef ANALYZER_INTAKE_REGISTRY_WORKER_H_
#define ANALYZER_INTAKE_REGISTRY_WORKER_H_

struct buf;
struct err;
struct frame;

/*
 * Registries among what was taken, for collector/intake.h: every reader of
 * formats/reg over the members, rows of the normal form to
 * metadata/derived/registry.jsonl, what does not agree to findings.jsonl as
 * findings of the catalogue (their path is the source's).
 */
int registry_worker_main(void *arg, int out_fd);

/* The parent's side: what one frame says, as a line of JSON. */
int registry_worker_line(const struct frame *f, const char **name,
    struct buf *b, struct err *e);

#endif /* !ANALYZER_INTAKE_REGISTRY_WORKER_H_ */
