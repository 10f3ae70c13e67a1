#ifndef CLI_REQUEST_H_
#define CLI_REQUEST_H_

#include <stddef.h>

#include "base/buf.h"
#include "cli/opt.h"
#include "collector/jline.h"

struct err;

/*
 * What was asked for, as the journal of a collection keeps it: the command
 * line and where it was given.  Who resumes need not say it again; what is
 * said all the same must be the same.
 */
struct request {
	struct buf text;	/* one JSON object */
	struct jline line;
	const char *bag;	/* where no case gives it a name, or NULL */
	const char *cwd;
	int argc;
	char **argv;		/* NULL behind the last */
};

/*
 * request_make: ${ret}'s text alone.  ${plan}: digest of the plan's bytes, or
 * NULL.  request_check_plan: is the plan still the one that was read?
 */
int request_make(struct request *ret, const char *bag,
    const unsigned char *plan, int argc, char **argv, struct err *e);
int request_check_plan(const struct request *q, const unsigned char *plan,
    struct err *e);
/* request_read: of what resume_request gives; then the rest of ${ret}. */
int request_read(struct request *ret, int dir, const char *file,
    struct err *e);
void request_release(struct request *q);
/* SHA-256 of the text. */
int request_digest(struct request *q, unsigned char ret[32], struct err *e);

/*
 * request_differs: the name of an option in ${given} that was said and does
 * not say what ${had} (the same table of the same program) does; NULL: none.
 * Paths are compared as they resolve.  Options of ${free} may differ.  Call it
 * before the working directory is changed.
 */
const char *request_differs(const struct opt *given, const struct opt *had,
    const char *had_cwd, const char *const *free_names);

#endif /* !CLI_REQUEST_H_ */
