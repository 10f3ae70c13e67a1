#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/page.h"
#include "collector/run.h"

static void
put_fetched(struct json_write *w, const struct page *p)
{
	char when[CLOCK_TEXT];

	json_key(w, "fetched");
	json_begin_object(w);
	facts_said(w, "url", p->url);
	facts_said(w, "method", p->method);
	facts_said(w, "request", p->request);
	facts_said(w, "peer", p->peer);
	json_ki64(w, "status", p->status);
	json_kstr(w, "asked", clock_rfc3339(when, p->asked_ns, 9));
	json_kstr(w, "came", clock_rfc3339(when, p->came_ns, 9));
	json_end_object(w);
}

static int
record(struct collect *c, const struct page *p, const char *member,
    const struct evidence_place *at)
{
	struct json_write w;
	char time[40];
	int r;

	c->totals.objects++;
	json_init(&w, &c->files.b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "file");
	json_kstr(&w, "class", bag_class_name(p->class));
	json_ktext(&w, "path", p->path, strlen(p->path));
	json_khex(&w, "path_hex", p->path, strlen(p->path));
	json_kstr(&w, "member", member);
	json_kstr(&w, "note", "fetched");
	record_put_place(&w, c, at);
	json_key(&w, "stat");
	json_begin_object(&w);
	json_ku64(&w, "size", p->n);
	(void)snprintf(time, sizeof(time), "%lld.%09lld",
	    (long long)(p->came_ns / 1000000000),
	    (long long)(p->came_ns % 1000000000));
	json_kstr(&w, "mtime", time);
	json_end_object(&w);
	put_fetched(&w, p);
	json_end_object(&w);
	r = record_end(c, &c->files);
	return r < 0 ? r : checkpoint(c);
}

int
page_take(struct collect *c, const struct page *p, uint8_t sha256[32])
{
	const struct member_bytes m = {.class = p->class, .path = p->path,
	    .p = p->p, .n = p->n, .mtime = p->came_ns / 1000000000};
	struct evidence_place at;
	struct buf member;
	int r;

	buf_init(&member, LIMIT_MEMBER_NAME);
	if ((r = member_bytes(c, &m, &member, &at)) >= 0) {
		memcpy(sha256, at.digests.sha256, 32);
		r = record(c, p, buf_str(&member), &at);
	} else if (r == ERR_EXISTS) {
		err_reset(c->e);
		c->totals.duplicates++;
		memset(sha256, 0, 32);
		r = record_error(c, p->path, "is there already: this answer "
		    "is not kept", 0);
	}
	buf_release(&member);
	return r;
}
