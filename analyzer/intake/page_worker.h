#ifndef ANALYZER_INTAKE_PAGE_WORKER_H_
#define ANALYZER_INTAKE_PAGE_WORKER_H_

#include <stdbool.h>
#include <stddef.h>

#include "base/proc.h"

struct buf;
struct err;

/*
 * What a page of a registry's REST interface asks for next.  The process that
 * fetches parses no page and the one that keeps keys does not either: this is
 * a fenced one, which is given a page after another and answers with its
 * "next_page_token" and with the ids of experiments in it.
 */
struct page_worker {
	struct proc p;
	int sock;
};

int page_worker_start(struct page_worker *w, struct err *e);
void page_worker_stop(struct page_worker *w);

/*
 * page_worker_ask: the page is all of ${fd}.  0 and the token in ${next}
 * (empty: it is the last), each id and a NUL behind it in ${ids}; ERR_FORMAT
 * when the page is no JSON object or its token cannot be used; ERR_CHILD when the worker is gone.
 */
int page_worker_ask(struct page_worker *w, int fd, struct buf *next,
    struct buf *ids, struct err *e);

#endif /* !ANALYZER_INTAKE_PAGE_WORKER_H_ */
