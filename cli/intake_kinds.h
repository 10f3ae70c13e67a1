#ifndef CLI_INTAKE_KINDS_H_
#define CLI_INTAKE_KINDS_H_

struct err;
struct intake;

/*
 * What `exhibit collect` understands of what it takes: the rows of
 * intake_kinds.c.  The workers are started here, so before a key is loaded.
 */
int intake_kinds_start(struct intake **ret, struct err *e);

#endif /* !CLI_INTAKE_KINDS_H_ */
