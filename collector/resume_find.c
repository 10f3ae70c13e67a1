#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "collector/resume_parts.h"

/*
 * The last commit of a journal that may be used, and what the head says.
 *
 * A commit is used when its digest is that of every byte before it, when it
 * does not lie behind the limit (something before it did not hold), and when
 * it is not inside a source that can only be taken whole.
 */
struct scan {
	struct resume *r;
	const char *request;
	bool whole;		/* inside of such a source */
	bool sealed, found;
	struct evidence_sealed facts;
	struct resume_plan best;
	char *cut;		/* the line of best, when it is a cut */
	size_t cut_n;
};

static int
refuse(struct err *e, const char *what)
{
	return err_set(e, ERR_VERIFY, "the journal is of another %s", what);
}

static int
check_head(struct scan *s, const struct jline *l, struct err *e)
{
	const struct collect_options *o = s->r->o;
	const char *bag = jline_str(l, "bag"), *boot, *request;
	uint64_t version, mtime, digests;
	uint8_t cert[32];
	size_t n;

	if (!jline_u64(l, "version", &version) || bag == NULL ||
	    !jline_u64(l, "header_mtime", &mtime) || mtime > INT64_MAX ||
	    !jline_u64(l, "digests", &digests) ||
	    !jline_hex(l, "certificate_sha256", cert, 32) ||
	    !jline_last(l, "request", &request, &n))
		return err_set(e, ERR_FORMAT,
		    "the first line of the journal is not one of a journal");
	if (version != 1)
		return err_set(e, ERR_UNSUPPORTED,
		    "the journal was written by another version");
	if (strcmp(bag, o->bag) != 0)
		return refuse(e, "bundle");
	if (memcmp(cert, o->cert_sha256, 32) != 0)
		return refuse(e, "examiner: the certificate differs");
	if (digests != (o->digests | DIGEST_SHA256) ||
	    (s->request != NULL && (n != strlen(s->request) ||
	    memcmp(request, s->request, n) != 0)))
		return refuse(e, "request");
	s->r->mtime = (int64_t)mtime;
	if ((boot = jline_str(l, "boot_id")) != NULL)
		(void)snprintf(s->r->boot, sizeof(s->r->boot), "%s", boot);
	return 0;
}

static bool
read_seal(const struct jline *l, struct evidence_sealed *s)
{
	uint64_t token;

	if (!jline_hex(l, "sha256", s->whole.sha256, 32) ||
	    !jline_hex(l, "sha512", s->whole.sha512, 64) ||
	    !jline_u64(l, "size", &s->size) ||
	    !jline_u64(l, "members", &s->members) ||
	    !jline_u64(l, "payload_bytes", &s->payload_bytes) ||
	    !jline_hex(l, "seal_sha256", s->seal_sha256, 32) ||
	    !jline_hex(l, "p7s_sha256", s->p7s_sha256, 32) ||
	    !jline_hex(l, "merkle_root", s->merkle_root, 32) ||
	    !jline_hex(l, "manifest_sha256", s->manifest_sha256, 32) ||
	    !jline_u64(l, "has_token", &token))
		return false;
	s->has_token = token != 0;
	return true;
}

bool
resume_totals(const struct jline *l, struct collect_totals *t)
{
	uint64_t v[sizeof(*t) / sizeof(uint64_t)], more;
	const size_t count = sizeof(v) / sizeof(*v);
	char key[32];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(key, sizeof(key), "totals.%zu", i);
		if (!jline_u64(l, key, &v[i]))
			return false;
	}
	(void)snprintf(key, sizeof(key), "totals.%zu", count);
	if (jline_u64(l, key, &more))
		return false;
	memcpy(t, v, sizeof(v));
	return true;
}

/* The cut of a commit is the one that was refused before. */
static bool
refused(const struct scan *s, const struct jline *l)
{
	uint64_t header;

	return !jline_u64(l, "cut.header_offset", &header) ||
	    s->r->refused == header + 1;
}

/* 0, or 1: nothing behind this line counts. */
static int
on_commit(struct scan *s, const struct journal_line *line,
    const struct jline *l, struct err *e)
{
	struct resume_plan p = {.at = line->next, .sealed = s->sealed};
	uint8_t before[32];

	if (!jline_hex(l, "sha256", before, 32) ||
	    memcmp(before, line->before, 32) != 0 ||
	    !jline_u64(l, "end", &p.end) ||
	    !jline_u64(l, "seconds", &p.seconds) ||
	    !resume_totals(l, &p.totals))
		return 1;
	p.cut = jline_str(l, "cut.member") != NULL;
	if (p.at > s->r->limit || s->whole || (p.cut && refused(s, l)) ||
	    (p.sealed && s->r->no_seal))
		return 0;
	free(s->cut);
	s->cut = NULL;
	if (p.cut && (s->cut = strndup(line->text, line->n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->cut_n = line->n;
	s->best = p;
	s->found = true;
	s->r->reason[0] = '\0';
	return 0;
}

static int
on_parsed(struct scan *s, const struct journal_line *line,
    const struct jline *l, struct err *e)
{
	const char *text;

	if (strcmp(line->kind, "head") == 0)
		return line->off == 0 ? check_head(s, l, e) : 1;
	if (line->off == 0)
		return err_set(e, ERR_FORMAT, "it is not a journal");
	if (strcmp(line->kind, "commit") == 0)
		return on_commit(s, line, l, e);
	if (strcmp(line->kind, "source") == 0)
		s->whole = jline_true(l, "whole");
	else if (strcmp(line->kind, "source-end") == 0)
		s->whole = false;
	else if (strcmp(line->kind, "sealed") == 0)
		s->sealed = read_seal(l, &s->facts);
	else if (strcmp(line->kind, "stopped") == 0 &&
	    (text = jline_str(l, "reason")) != NULL)
		(void)snprintf(s->r->reason, RESUME_TEXT, "it stopped: %s",
		    text);
	else if (strcmp(line->kind, "resumed") == 0 &&
	    (text = jline_str(l, "boot_id")) != NULL)
		(void)snprintf(s->r->boot, sizeof(s->r->boot), "%s", text);
	return 0;
}

static int
on_line(void *ctx, const struct journal_line *line, struct err *e)
{
	static const char *const wanted[] = {"head", "commit", "source",
	    "source-end", "sealed", "stopped", "resumed"};
	struct scan *s = ctx;
	struct jline l;
	bool want = line->off == 0;
	int r;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		want = want || strcmp(line->kind, wanted[i]) == 0;
	if (!want)
		return line->kind[0] == '\0' ? 1 : 0;
	if ((r = jline_read(&l, line->text, line->n, e)) < 0) {
		if (r == ERR_NOMEM || line->off == 0)
			return r;
		err_reset(e);
		return 1;
	}
	r = on_parsed(s, line, &l, e);
	jline_release(&l);
	return r;
}

static int
find(struct scan *s, struct err *e)
{
	struct resume *r = s->r;
	int rc;

	/* That of another commit, which did not hold. */
	resume_close_file(r);
	r->reason[0] = '\0';
	if ((rc = journal_each(r->jfd, r->jsize, on_line, s, e)) < 0)
		return rc;
	if (!s->found)
		return err_set(e, ERR_FORMAT, "nothing of the journal holds: "
		    "collect again");
	r->plan = s->best;
	r->sealed = s->facts;
	return 0;
}

int
resume_find(struct resume *r, const char *request, struct err *e)
{
	struct scan s;
	struct jline l;
	int rc;

	for (;;) {
		s = (struct scan){.r = r, .request = request};
		if ((rc = find(&s, e)) < 0 || !r->plan.cut)
			break;
		/* Is it still the file that was cut? */
		if ((rc = jline_read(&l, s.cut, s.cut_n, e)) < 0)
			break;
		rc = resume_reopen(r, &l, e);
		jline_release(&l);
		if (rc <= 0)
			break;
		free(s.cut);
	}
	free(s.cut);
	return rc;
}
