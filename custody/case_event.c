#include <errno.h>
#include <fcntl.h>
#include <sys/timex.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/version.h"
#include "custody/bag.h"
#include "custody/case.h"
#include "custody/case_body.h"
#include "custody/case_dir.h"
#include "custody/case_log.h"
#include "custody/digest.h"

/* SHA-256 of the running program, or why not; asked once. */
static int
hash_exe(struct casedir *c, struct err *e)
{
	static const char path[] = "/proc/self/exe";
	struct digest *d = NULL;
	struct digests now;
	char chunk[16384];
	struct err inner = ERR_INIT;
	ssize_t n;
	int fd, r = 0;

	if (c->exe_known)
		return 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0) {
		err_sys(&inner, errno, "cannot open '%s'", path);
		goto unread;
	}
	if ((d = digest_new(DIGEST_SHA256, e)) == NULL) {
		r = ERR_CRYPTO;
		goto out;
	}
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(&inner, errno, "cannot read '%s'", path);
			goto unread;
		}
		if ((r = digest_put(d, chunk, (size_t)n, e)) < 0)
			goto out;
	}
	if ((r = digest_now(d, &now, e)) < 0)
		goto out;
	memcpy(c->exe_sha256, now.sha256, 32);
	c->exe_known = true;
	goto out;
unread:
	snprintf(c->exe_why, sizeof(c->exe_why), "%.150s", inner.msg);
	c->exe_known = true;
out:
	digest_free(d);
	if (fd >= 0)
		close(fd);
	return r;
}

static void
put_actor(const struct casedir *c, struct json_write *w)
{
	json_key(w, "actor");
	json_begin_object(w);
	json_khex(w, "cert_sha256", c->party[0].cert_sha256, 32);
	json_ktext(w, "name", c->examiner, strlen(c->examiner));
	json_kstr(w, "role", "examiner");
	json_end_object(w);
}

/*
 * mono_ns is a string: RFC 8785 has only doubles, and nanoseconds pass 2^53
 * after 104 days of uptime.
 */
static void
put_time(struct json_write *w)
{
	struct clock_evidence now;
	char text[CLOCK_TEXT], mono[24];

	clock_evidence(&now);
	snprintf(mono, sizeof(mono), "%lld", (long long)now.mono_ns);
	json_key(w, "time");
	json_begin_object(w);
	json_kstr(w, "clock_status",
	    now.state == TIME_ERROR || (now.status & STA_UNSYNC) != 0
		? "unsynchronized"
		: "synchronized");
	json_kstr(w, "mono_ns", mono);
	json_kstr(w, "utc", clock_rfc3339(text, now.real_ns, 9));
	json_end_object(w);
}

static void
put_tool(const struct casedir *c, struct json_write *w)
{
	json_key(w, "tool");
	json_begin_object(w);
	if (c->exe_why[0] != '\0') {
		json_knull(w, "exe_sha256");
		json_kstr(w, "exe_unread", c->exe_why);
	} else {
		json_khex(w, "exe_sha256", c->exe_sha256, 32);
	}
	json_kstr(w, "version", EXHIBIT_VERSION);
	json_end_object(w);
}

static void
put_body(const struct casedir *c, struct json_write *w,
    const struct ledger_head *prev, const struct case_what *what)
{
	struct utsname host;

	if (uname(&host) != 0)
		host.nodename[0] = '\0';
	json_begin_object(w);
	put_actor(c, w);
	json_kstr(w, "case", c->id);
	json_key(w, "data");
	json_begin_object(w);
	if (what->data != NULL)
		what->data(what->ctx, w);
	json_end_object(w);
	json_kstr(w, "exhibit", what->exhibit);
	json_ktext(w, "host", host.nodename, strlen(host.nodename));
	json_kstr(w, "kind", what->kind);
	json_key(w, "prev_head");
	json_begin_object(w);
	json_khex(w, "root", prev->root, 32);
	json_ku64(w, "size", prev->size);
	json_end_object(w);
	json_ku64(w, "seq", prev->size + 1);
	put_time(w);
	put_tool(c, w);
	json_ku64(w, "v", 1);
	json_end_object(w);
}

static bool
kind_ok(const char *kind)
{
	size_t n = strlen(kind);

	return n > 0 && n <= 32 &&
	       strspn(kind, "abcdefghijklmnopqrstuvwxyz-") == n;
}

/* What a seal says of its bundle, for the ledger's table of items. */
static int
read_item(const struct case_body *body, const char *exhibit,
    struct ledger_item *item, struct err *e)
{
	item->exhibit = exhibit;
	if (case_body_hash(body, "data.bundle_sha256", item->bundle_sha256) &&
	    case_body_u64(body, "data.size", &item->size))
		return 0;
	return err_set(e, ERR_ARG,
	    "a seal needs the bundle's SHA-256 and size");
}

int
case_event_append(struct casedir *c, const struct case_what *what,
    uint64_t *seq, struct err *e)
{
	const char *exhibit = what->exhibit;
	struct ledger_head prev;
	struct ledger_item item;
	struct json_write w;
	struct case_body body = {0};
	struct buf b;
	bool seal = exhibit != NULL && strcmp(what->kind, "seal") == 0;
	int r;

	BUG_ON(!kind_ok(what->kind));
	buf_init(&b, LEDGER_BODY_MAX);
	if (!c->writable) {
		r = err_set(e, ERR_DENIED, "the case is open for reading only");
		goto out;
	}
	if (exhibit != NULL && !bag_name_ok(exhibit, strlen(exhibit))) {
		r = err_set(e, ERR_ARG, "'%s' cannot be an exhibit", exhibit);
		goto out;
	}
	if ((r = hash_exe(c, e)) < 0 ||
	    (r = ledger_head(c->ledger, &prev, e)) < 0)
		goto out;
	json_init(&w, &b, JSON_CANONICAL);
	put_body(c, &w, &prev, what);
	if ((r = buf_failed(&b)) < 0) {
		r = err_set(e, (enum err_code)r,
		    "the event does not fit the "
		    "ledger (limit %zu bytes)",
		    LEDGER_BODY_MAX);
		goto out;
	}
	/* Nothing is kept for good that could not be read again. */
	if ((r = case_body_read(&body, (const char *)b.p, b.len, e)) < 0 ||
	    (seal && (r = read_item(&body, exhibit, &item, e)) < 0))
		goto out;
	r = ledger_append_seal(c->ledger, (const char *)b.p, b.len,
	    seal ? &item : NULL, seq, e);
out:
	case_body_release(&body);
	buf_release(&b);
	return r;
}

/* A seal ends what was begun, once. */
static int
check_begun(struct casedir *c, const char *exhibit, struct err *e)
{
	const struct case_log_exhibit *x;
	struct case_log *log = NULL;
	int r;

	if ((r = case_log_read(c->ledger, NULL, NULL, &log, e)) < 0)
		return r;
	if ((x = case_log_find(log, exhibit)) == NULL)
		r = err_set(e, ERR_DENIED,
		    "cannot seal exhibit '%s': its "
		    "number was never taken",
		    exhibit);
	else if (x->state != CASE_LOG_BEGUN)
		r = err_set(e, ERR_DENIED,
		    "cannot seal exhibit '%s': the "
		    "ledger has it as %s",
		    exhibit, case_log_state_name(x->state));
	case_log_free(log);
	return r;
}

int
/* NOLINTNEXTLINE(readability-function-size): the contract of case.h */
case_event(struct casedir *c, const char *kind, const char *exhibit,
    void (*data)(void *ctx, struct json_write *w), void *ctx, uint64_t *seq,
    struct err *e)
{
	const struct case_what what = {kind, exhibit, data, ctx};
	int r;

	if (strcmp(kind, "genesis") == 0 || strcmp(kind, "acquire") == 0)
		return err_set(e, ERR_ARG,
		    "an event '%s' is made by the "
		    "case itself",
		    kind);
	if (strcmp(kind, "seal") == 0) {
		if (exhibit == NULL)
			return err_set(e, ERR_ARG, "a seal needs an exhibit");
		if ((r = check_begun(c, exhibit, e)) < 0)
			return r;
	}
	return case_event_append(c, &what, seq, e);
}
