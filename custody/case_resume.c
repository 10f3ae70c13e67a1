#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json_write.h"
#include "custody/case.h"
#include "custody/case_body.h"
#include "custody/case_dir.h"
#include "custody/case_log.h"

struct resumption {
	const char *exhibit;
	const uint8_t *request;
	bool same;		/* the beginning's event has it */
};

static void
put_resume(void *ctx, struct json_write *w)
{
	const struct resumption *q = ctx;

	json_kstr(w, "phase", "resume");
	json_khex(w, "request_sha256", q->request, 32);
}

static bool
is_sealed(const struct case_log_exhibit *x)
{
	return x->state == CASE_LOG_SEALED || x->state == CASE_LOG_STREAMED ||
	    x->has_seal;
}

static int
on_event(void *ctx, const struct case_log_event *ev)
{
	const char *phase = case_body_str(ev->body, "data.phase");
	struct resumption *q = ctx;
	uint8_t was[32];

	if (ev->exhibit != NULL && strcmp(ev->exhibit, q->exhibit) == 0 &&
	    strcmp(ev->kind, "acquire") == 0 && phase != NULL &&
	    strcmp(phase, "begin") == 0)
		q->same = case_body_hash(ev->body,
		    "data.request.request_sha256", was) &&
		    memcmp(was, q->request, 32) == 0;
	return 0;
}

int
case_resume_exhibit(struct casedir *c, const char *exhibit,
    const uint8_t request_sha256[32], struct err *e)
{
	struct resumption q = {exhibit, request_sha256, false};
	const struct case_what what = {"acquire", exhibit, put_resume, &q};
	const struct case_log_exhibit *x;
	struct case_log *log = NULL;
	bool sealed = false;
	int r;

	if ((r = case_log_read(c->ledger, on_event, &q, &log, e)) < 0)
		return r;
	if ((x = case_log_find(log, exhibit)) == NULL || x->begin_seq == 0)
		r = err_set(e, ERR_NOTFOUND, "the case has no exhibit '%s'",
		    exhibit);
	else if (!q.same)
		r = err_set(e, ERR_VERIFY, "the journal of '%s' is not of the "
		    "request that the ledger has", exhibit);
	else
		sealed = is_sealed(x);
	case_log_free(log);
	if (r < 0 || sealed)
		return r < 0 ? r : 1;
	return case_event_append(c, &what, NULL, e);
}

static bool
has_journal(const struct casedir *c, const char *exhibit)
{
	char name[CASE_BAG_MAX + 16];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s%s", exhibit, CASE_JOURNAL);
	return fstatat(c->bundles, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int
case_resumable(struct casedir *c, char ret[CASE_BAG_MAX], struct err *e)
{
	const struct case_log_exhibit *x, *found = NULL, *sealed = NULL;
	struct case_log *log = NULL;
	int r;

	if ((r = case_log_read(c->ledger, NULL, NULL, &log, e)) < 0)
		return r;
	for (size_t i = 0; i < case_log_count(log) && r >= 0; i++) {
		x = case_log_exhibit(log, i);
		if (!has_journal(c, x->name))
			continue;
		if (is_sealed(x)) {
			sealed = x;
			continue;
		}
		if (found != NULL)
			r = err_set(e, ERR_ARG, "several exhibits can be "
			    "resumed, '%s' and '%s' among them: name one",
			    found->name, x->name);
		found = x;
	}
	found = found != NULL ? found : sealed;
	if (r >= 0 && found == NULL)
		r = err_set(e, ERR_NOTFOUND, "there is nothing to resume: no "
		    "exhibit that is not sealed has a journal in bundles/");
	if (r >= 0)
		memcpy(ret, found->name, CASE_BAG_MAX);
	case_log_free(log);
	return r;
}
