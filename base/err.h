#ifndef BASE_ERR_H_
#define BASE_ERR_H_

#include <stdint.h>

/*
 * What went wrong on our side.
 *
 * Three kinds of trouble are never mixed: a finding (a fact about the
 * evidence, goes to the sink), an error (this file) and a BUG (bug.h).
 *
 * A function that can fail returns 0 or more for success and a negative
 * enum err_code for failure, and takes a struct err * as its last argument.
 * The place that first sees the failure fills it; later places may add
 * nothing: the first failure is kept.  A caller that does not want the text
 * passes NULL.
 *
 * Messages follow git's manner: no capital, no full stop, the subject in
 * single quotes: cannot read 'x'.  Text that came from evidence must have
 * gone through text_printable before it is put into a message.
 */
enum err_code {
	ERR_OK = 0,
	ERR_NOMEM = -1,	      /* out of memory, or over an arena's cap */
	ERR_IO = -2,	      /* a system call failed; sys holds errno */
	ERR_LIMIT = -3,	      /* a limit of limits.h was reached */
	ERR_TRUNC = -4,	      /* fewer bytes than promised */
	ERR_FORMAT = -5,      /* bytes are not what the format says */
	ERR_EXISTS = -6,      /* would replace something that is there */
	ERR_NOTFOUND = -7,    /* not there */
	ERR_DENIED = -8,      /* the kernel or the contract refuses */
	ERR_CRYPTO = -9,      /* the crypto library failed */
	ERR_VERIFY = -10,     /* a check of evidence did not hold */
	ERR_UNSUPPORTED = -11,/* known, but not possible here */
	ERR_ARG = -12,	      /* what the person typed makes no sense */
	ERR_STOP = -13,	      /* a consumer asked to stop; not a failure */
	ERR_CHILD = -14,      /* a worker process died or misbehaved */
};

struct err {
	enum err_code code;
	int sys;	/* errno, or 0 */
	uint64_t off;	/* where in the input, or 0 */
	char msg[256];	/* NUL-terminated, printable */
};

#define ERR_INIT {ERR_OK, 0, 0, {0}}

/*
 * err_set(e, code, fmt, ...): note the failure unless an earlier one is
 * noted, and return ${code}.  ${e} may be NULL.
 */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * err_sys(e, errnum, fmt, ...): like err_set with ERR_IO, and ": " and the
 * text of ${errnum} appended (strerrorname_np-independent, no locale).
 * ENOENT becomes ERR_NOTFOUND, EEXIST ERR_EXISTS, EACCES and EPERM
 * ERR_DENIED, ENOMEM ERR_NOMEM.  Returns the code.
 */
int err_sys(struct err *e, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* err_reset(e): forget.  For a caller that handled the failure. */
void err_reset(struct err *e);

/* err_name(code): "out of memory", "limit reached", ... never NULL. */
const char *err_name(enum err_code code);

#endif /* !BASE_ERR_H_ */
