#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/intake.h"
#include "collector/mounts.h"
#include "collector/resume.h"
#include "collector/run.h"

/*
 * acquisition.json: everything that is known before the first byte is read;
 * completion.json: what it came to.  A fact that cannot be had is null.
 */

/* Where a source lies: its mount, and the device below that. */
static void
put_source(struct json_write *w, const struct collect_source *s)
{
	struct mounts_facts m;
	struct statx st;

	mounts_init(&m);
	json_begin_object(w);
	facts_source(w, s);
	/* A number is no path, whatever is called so here. */
	if (!s->url && s->kind != SOURCE_PROCESS &&
	    statx(AT_FDCWD, s->path, AT_NO_AUTOMOUNT, STATX_MNT_ID,
	    &st) == 0 && (st.stx_mask & STATX_MNT_ID) != 0)
		mounts_find(&m, st.stx_mnt_id);
	mounts_json(w, "mount", &m);
	json_end_object(w);
	mounts_release(&m);
}

void
facts_ledger(struct json_write *w, const struct collect *c)
{
	json_key(w, "ledger_head");
	if (!c->o->has_head) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_ku64(w, "size", c->o->head_size);
	json_khex(w, "root", c->o->head_root, 32);
	json_end_object(w);
}

void
facts_here(struct json_write *w, const struct collect *c)
{
	facts_clock(w, "clock");
	facts_zone(w, c);
	facts_host(w);
	facts_tool(w, c);
}

void
facts_examiner(struct json_write *w, const struct collect *c)
{
	json_ktext(w, "name", c->o->examiner, strlen(c->o->examiner));
	if (c->o->cert_sha256 != NULL)
		json_khex(w, "certificate_sha256", c->o->cert_sha256, 32);
	else
		json_knull(w, "certificate_sha256");
}

void
facts_time_stamp(struct json_write *w, const struct collect *c)
{
	json_kstr(w, "time_stamp", c->o->body ? "by the side that seals: "
	    "see transport.json" : c->o->local_tsa ? "by the local "
	    "authority in metadata/pki/tsa.pem: it proves nothing against "
	    "this machine's own root" : "by another authority, or none: see "
	    "container.json");
}

int
facts_store(struct collect *c, const char *name, struct buf *b)
{
	int r;

	buf_putc(b, '\n');
	if ((r = buf_failed(b)) < 0)
		r = err_set(c->e, (enum err_code)r, "a record is too long");
	else
		r = evidence_tag(c->w, name, b->p, b->len, c->e);
	buf_release(b);
	return r;
}

int
facts_acquisition(struct collect *c)
{
	struct json_write w;
	struct buf b;

	buf_init(&b, 16 * MIB);
	json_init(&w, &b, JSON_PRETTY);
	json_begin_object(&w);
	json_kstr(&w, "format", BAG_FORMAT);
	json_kstr(&w, "bag", c->o->bag);
	json_kstr(&w, "case", c->o->case_id);
	json_key(&w, "examiner");
	json_begin_object(&w);
	facts_examiner(&w, c);
	facts_said(&w, "organisation", c->o->organisation);
	facts_said(&w, "contact", c->o->contact);
	json_end_object(&w);
	facts_said(&w, "purpose", c->o->purpose);
	facts_scope(&w, c);
	facts_here(&w, c);
	json_key(&w, "sources");
	json_begin_array(&w);
	for (size_t i = 0; i < c->o->nsources; i++)
		put_source(&w, &c->o->sources[i]);
	json_end_array(&w);
	facts_ledger(&w, c);
	facts_time_stamp(&w, c);
	json_end_object(&w);
	return facts_store(c, BAG_ACQUISITION, &b);
}

int
facts_completion(struct collect *c)
{
	const struct collect_totals *t = &c->totals;
	struct json_write w;
	struct buf b;

	buf_init(&b, 32 * MIB);
	json_init(&w, &b, JSON_PRETTY);
	json_begin_object(&w);
	json_ku64(&w, "objects", t->objects);
	json_ku64(&w, "stored", t->stored);
	json_ku64(&w, "bytes", t->bytes);
	json_ku64(&w, "errors", t->errors);
	json_ku64(&w, "changed_while_reading", t->changed);
	json_ku64(&w, "duplicates", t->duplicates);
	intake_facts(c->o->intake, &w);
	json_kstr(&w, "result", t->errors == 0 ? "complete" : "incomplete");
	scope_put_coverage(&w, c);
	process_put_served(&w, c);
	json_ku64(&w, "duration_ns",
	    (uint64_t)(clock_mono_ns() - c->began_ns));
	json_key(&w, "resumed");
	json_begin_array(&w);
	if (*resume_list(c->o->resume) != '\0')
		json_raw(&w, resume_list(c->o->resume));
	json_end_array(&w);
	facts_clock(&w, "clock");
	json_end_object(&w);
	return facts_store(c, BAG_COMPLETION, &b);
}
