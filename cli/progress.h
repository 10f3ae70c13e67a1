#ifndef CLI_PROGRESS_H_
#define CLI_PROGRESS_H_

#include <stdbool.h>
#include <stdint.h>

/*
 * Progress on a terminal's stderr: bytes, rate, time left; nothing when
 * stderr is no terminal or with -q.  At most ten lines a second, erased at
 * the end.
 */
struct progress {
	bool on;
	bool shown;
	int64_t began, last;	/* clock_mono_ns */
	uint64_t objects;	/* shown unless 0 */
};

void progress_init(struct progress *p, bool quiet);
/* progress_show: ${total} 0 when it is not known; ${what} printable. */
void progress_show(struct progress *p, uint64_t done, uint64_t total,
    const char *what);
void progress_end(struct progress *p);

#endif /* !CLI_PROGRESS_H_ */
