#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bug.h"
#include "base/err.h"
#include "base/text.h"

/*
 * Make what was formatted printable and whole: a caller that forgot to
 * escape must not reach a terminal with a control character, and a message
 * that was cut must not end inside a character.
 */
static void
tidy(char *msg, size_t n)
{
	size_t i = 0;
	size_t step;
	uint32_t cp;

	while (i < n) {
		step = text_utf8_len((const uint8_t *)msg + i, n - i, &cp);
		if (step == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			memset(msg + i, '?', step == 0 ? 1 : step);
			step = step == 0 ? 1 : step;
		}
		i += step;
	}
}

/* How many bytes at the end are the beginning of a cut character. */
static size_t
cut_tail(const uint8_t *msg, size_t n)
{
	size_t i = n;
	uint32_t cp;

	while (i > 0 && (msg[i - 1] & 0xc0) == 0x80)
		i--;
	if (i == 0 || msg[i - 1] < 0xc0 ||
	    text_utf8_len(msg + i - 1, n - i + 1, &cp) != 0)
		return 0;
	return n - i + 1;
}

static size_t format(struct err *e, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Fill the message; its length, which leaves one place for the NUL. */
static size_t
format(struct err *e, const char *fmt, va_list ap)
{
	size_t n;
	int r;

	r = vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	if (r < 0) {
		e->msg[0] = '\0';
		return 0;
	}
	n = (size_t)r;
	if (n >= sizeof(e->msg)) {
		n = sizeof(e->msg) - 1;
		n -= cut_tail((const uint8_t *)e->msg, n);
		e->msg[n] = '\0';
	}
	tidy(e->msg, n);
	return n;
}

int
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	BUG_ON(code >= ERR_OK);
	if (e == NULL || e->code != ERR_OK)
		return code;
	e->code = code;
	e->sys = 0;
	e->off = 0;
	va_start(ap, fmt);
	format(e, fmt, ap);
	va_end(ap);
	return code;
}

static enum err_code
code_of(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return ERR_NOTFOUND;
	case EEXIST:
		return ERR_EXISTS;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case ENOMEM:
		return ERR_NOMEM;
	default:
		return ERR_IO;
	}
}

int
err_sys(struct err *e, int errnum, const char *fmt, ...)
{
	const char *what = strerrordesc_np(errnum);
	enum err_code code = code_of(errnum);
	va_list ap;
	size_t n;

	if (e == NULL || e->code != ERR_OK)
		return code;
	e->code = code;
	e->sys = errnum;
	e->off = 0;
	va_start(ap, fmt);
	n = format(e, fmt, ap);
	va_end(ap);
	if (what != NULL)
		snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", what);
	else
		snprintf(e->msg + n, sizeof(e->msg) - n, ": error %d",
		    errnum);
	return code;
}

void
err_reset(struct err *e)
{
	if (e != NULL)
		*e = (struct err)ERR_INIT;
}

const char *
err_name(enum err_code code)
{
	switch (code) {
	case ERR_OK:
		return "no error";
	case ERR_NOMEM:
		return "out of memory";
	case ERR_IO:
		return "input or output failed";
	case ERR_LIMIT:
		return "limit reached";
	case ERR_TRUNC:
		return "truncated";
	case ERR_FORMAT:
		return "malformed";
	case ERR_EXISTS:
		return "already exists";
	case ERR_NOTFOUND:
		return "not found";
	case ERR_DENIED:
		return "denied";
	case ERR_CRYPTO:
		return "crypto library failed";
	case ERR_VERIFY:
		return "verification failed";
	case ERR_UNSUPPORTED:
		return "not supported here";
	case ERR_ARG:
		return "bad argument";
	case ERR_STOP:
		return "stopped";
	case ERR_CHILD:
		return "worker failed";
	}
	return "unknown error";
}
