#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/bug.h"

#define BUG_EXIT 70

/*
 * Nothing but a stack buffer and write(2): the heap and stdio may be what
 * broke, and a worker behind its fence may call little else.
 */
void
bug_at(const char *file, int line, const char *fmt, ...)
{
	char msg[512];
	size_t n = 0;
	va_list ap;
	int r;

	r = snprintf(msg, sizeof(msg), "BUG: %s:%d: ", file, line);
	if (r > 0 && (size_t)r < sizeof(msg))
		n = (size_t)r;
	va_start(ap, fmt);
	r = vsnprintf(msg + n, sizeof(msg) - n, fmt, ap);
	va_end(ap);
	if (r > 0) {
		n += (size_t)r;
		if (n > sizeof(msg) - 1)
			n = sizeof(msg) - 1;
	}
	msg[n++] = '\n';	/* in the place of the NUL */
	if (write(STDERR_FILENO, msg, n) < 0)
		_exit(BUG_EXIT); /* nowhere to say it */
	_exit(BUG_EXIT);
}
