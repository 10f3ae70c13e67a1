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
	struct evidence_place at;
	struct buf member;
	uint64_t short_by;
	int r;

	buf_init(&member, LIMIT_MEMBER_NAME);
	if ((r = bag_member_name(&member, p->class, p->path, strlen(p->path),
	    c->e)) < 0 ||
	    (r = evidence_begin(c->w, buf_str(&member), p->n,
	    p->came_ns / 1000000000, c->e)) < 0)
		goto out;
	if ((p->n > 0 && (r = evidence_put(c->w, p->p, p->n, c->e)) < 0) ||
	    (r = evidence_end(c->w, &at, &short_by, c->e)) < 0)
		goto out;
	c->totals.stored++;
	c->totals.bytes += p->n;
	c->classes |= 1U << p->class;
	memcpy(sha256, at.digests.sha256, 32);
	r = record(c, p, buf_str(&member), &at);
out:
	if (r == ERR_EXISTS) {
		err_reset(c->e);
		c->totals.duplicates++;
		memset(sha256, 0, 32);
		r = record_error(c, p->path, "is there already: this answer "
		    "is not kept", 0);
	}
	buf_release(&member);
	return r;
}
