#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/case.h"
#include "custody/case_body.h"
#include "custody/case_dir.h"
#include "custody/case_log.h"
#include "custody/digest.h"

/*
 * What decides is what the events say: identifier, examiner and the digests
 * of the certificates come from the genesis event, which the ledger's chain
 * covers.  The tables of settings and parties only hold what is bulky or
 * local, and the certificates are compared with those digests.
 */
#define LOCK_TRY_US 50000

static bool
there(const struct casedir *c, const char *name)
{
	struct stat st;

	return fstatat(c->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int
open_dir(struct casedir *c, const char *dir, struct err *e)
{
	if ((c->dir = realpath(dir, NULL)) == NULL ||
	    (c->dirfd = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open the case '%s'", dir);
	if (there(c, CASE_DB))
		return 0;
	if (there(c, CASE_DB_NEW) || there(c, CASE_BUNDLES))
		return err_set(e, ERR_FORMAT,
		    "'%s' is a half-made case: "
		    "'case new' was interrupted; remove it and begin again",
		    dir);
	return err_set(e, ERR_NOTFOUND, "'%s' is not a case: it has no %s", dir,
	    CASE_DB);
}

/*
 * A lock on the directory, not on case.db, whose locks are SQLite's.  It
 * lasts as long as a case is open, so an acquisition that is under way is
 * never taken for one that was cut short.
 */
static int
lock(struct casedir *c, struct err *e)
{
	unsigned tries = CASE_LOCK_SECONDS * (1000000 / LOCK_TRY_US);

	while (flock(c->dirfd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_sys(e, errno, "cannot lock the case '%s'",
			    c->dir);
		if (tries-- == 0)
			return err_set(e, ERR_DENIED,
			    "the case '%s' is in "
			    "use by another process",
			    c->dir);
		usleep(LOCK_TRY_US);
	}
	return 0;
}

static int
read_party(struct casedir *c, const struct case_body *b, unsigned i,
    struct err *e)
{
	struct case_party *p = &c->party[i];
	char key[64];
	const char *role;

	snprintf(key, sizeof(key), "data.parties.%u.role", i);
	if (case_body_find(b, key) == NULL)
		return i > 0 ? 0
			     : err_set(e, ERR_FORMAT,
				   "the genesis event names no examiner");
	role = case_body_str(b, key);
	if (role == NULL || strcmp(role, i == 0 ? "examiner" : "tsa") != 0)
		return err_set(e, ERR_FORMAT,
		    "the genesis event has an unknown party");
	p->role = i == 0 ? "examiner" : "tsa";
	snprintf(key, sizeof(key), "data.parties.%u.cert_sha256", i);
	if (!case_body_hash(b, key, p->cert_sha256))
		return err_set(e, ERR_FORMAT, "the genesis event lacks '%s'",
		    key);
	snprintf(key, sizeof(key), "data.parties.%u.pem_sha256", i);
	if (!case_body_hash(b, key, p->pem_sha256))
		return err_set(e, ERR_FORMAT, "the genesis event lacks '%s'",
		    key);
	return 0;
}

struct genesis {
	struct casedir *c;
	struct err *e;
};

static int
on_genesis(void *ctx, const struct case_log_event *ev)
{
	struct genesis *g = ctx;
	const char *id = case_body_str(ev->body, "case");
	unsigned i;
	int r;

	for (i = 0; i < CASE_PARTIES; i++)
		if ((r = read_party(g->c, ev->body, i, g->e)) < 0)
			return r;
	if ((g->c->id = strdup(id)) == NULL ||
	    (g->c->examiner = strdup(ev->actor)) == NULL)
		return err_set(g->e, ERR_NOMEM,
		    "cannot open the case: out of memory");
	return ERR_STOP;
}

static int
load(struct casedir *c, struct err *e)
{
	struct genesis g = {c, e};
	struct buf keys;
	int r;

	buf_init(&keys, LIMIT_PATH);
	r = case_log_read(c->ledger, on_genesis, &g, NULL, e);
	if (r >= 0)
		r = err_set(e, ERR_FORMAT, "the ledger of '%s' is empty",
		    c->dir);
	if (r != ERR_STOP)
		goto out;
	if ((r = ledger_get(c->ledger, "keys", &keys, e)) < 0)
		goto out;
	if ((c->keys = strdup(buf_str(&keys))) == NULL)
		r = err_set(e, ERR_NOMEM,
		    "cannot open the case: out of memory");
out:
	buf_release(&keys);
	return r;
}

static int
open_case(const char *dir, bool writable, struct casedir **ret, struct err *e)
{
	struct casedir *c = NULL;
	char *db = NULL;
	int r = ERR_NOMEM;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		goto nomem;
	c->dirfd = c->bundles = -1;
	c->writable = writable;
	if ((r = open_dir(c, dir, e)) < 0 || (writable && (r = lock(c, e)) < 0))
		goto out;
	if (asprintf(&db, "%s/%s", c->dir, CASE_DB) < 0) {
		db = NULL;
		goto nomem;
	}
	if ((r = writable ? ledger_open(db, false, &c->ledger, e)
			  : ledger_open_readonly(db, &c->ledger, e)) < 0 ||
	    (r = load(c, e)) < 0)
		goto out;
	if ((c->bundles = openat(c->dirfd, CASE_BUNDLES,
		 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
		r = err_sys(e, errno, "cannot open '%s/%s'", c->dir,
		    CASE_BUNDLES);
		goto out;
	}
	if (writable && (r = case_reconcile(c, e)) < 0)
		goto out;
	*ret = c;
	c = NULL;
	r = 0;
	goto out;
nomem:
	r = err_set(e, ERR_NOMEM, "cannot open the case: out of memory");
out:
	free(db);
	case_close(c);
	return r;
}

int
case_open(const char *dir, struct casedir **ret, struct err *e)
{
	return open_case(dir, true, ret, e);
}

int
case_open_readonly(const char *dir, struct casedir **ret, struct err *e)
{
	return open_case(dir, false, ret, e);
}

void
case_close(struct casedir *c)
{
	if (c == NULL)
		return;
	ledger_close(c->ledger);
	if (c->bundles >= 0)
		close(c->bundles);
	if (c->dirfd >= 0)
		close(c->dirfd); /* and so the lock */
	free(c->dir);
	free(c->id);
	free(c->examiner);
	free(c->keys);
	free(c);
}

const char *
case_id(const struct casedir *c)
{
	return c->id;
}

const char *
case_examiner(const struct casedir *c)
{
	return c->examiner;
}

const char *
case_keys(const struct casedir *c)
{
	return c->keys;
}

int
case_bundles_fd(const struct casedir *c)
{
	return c->bundles;
}

const char *
case_dir(const struct casedir *c)
{
	return c->dir;
}

struct ledger *
case_ledger(struct casedir *c)
{
	return c->ledger;
}

static int
trust_party(struct casedir *c, const struct case_party *p, struct buf *ret,
    struct err *e)
{
	struct digests now;
	struct buf pem;
	int r;

	buf_init(&pem, LEDGER_BODY_MAX);
	if ((r = ledger_party_pem(c->ledger, p->role, p->cert_sha256, &pem,
		 e)) < 0 ||
	    (r = digest_mem(pem.p, pem.len, DIGEST_SHA256, &now, e)) < 0)
		goto out;
	if (memcmp(now.sha256, p->pem_sha256, 32) != 0) {
		r = err_set(e, ERR_VERIFY,
		    "the certificate of the %s is not "
		    "the one that the genesis event names",
		    p->role);
		goto out;
	}
	if (ret->len > 0 && ret->p[ret->len - 1] != '\n')
		buf_putc(ret, '\n');
	buf_put(ret, pem.p, pem.len);
	if ((r = buf_failed(ret)) < 0)
		r = err_set(e, (enum err_code)r, "the certificates do not fit");
out:
	buf_release(&pem);
	return r;
}

int
case_trust_pem(struct casedir *c, struct buf *examiner, struct buf *tsa,
    struct err *e)
{
	int r;

	if ((r = trust_party(c, &c->party[0], examiner, e)) < 0 ||
	    c->party[1].role == NULL)
		return r;
	return trust_party(c, &c->party[1], tsa, e);
}

/* The number of "ID-Enn", or 0: two digits at least, no other zeros. */
static uint64_t
number(const char *id, const char *name)
{
	size_t n = strlen(id), digits;
	uint64_t v;

	if (strncmp(name, id, n) != 0 || name[n] != '-' || name[n + 1] != 'E')
		return 0;
	name += n + 2;
	digits = strlen(name);
	if (digits < 2 || (digits > 2 && name[0] == '0') ||
	    !text_u64(name, digits, 10, CASE_LOG_EXHIBITS, &v))
		return 0;
	return v;
}

struct request {
	void (*data)(void *ctx, struct json_write *w);
	void *ctx;
};

static void
put_begin(void *ctx, struct json_write *w)
{
	struct request *q = ctx;

	json_kstr(w, "phase", "begin");
	json_key(w, "request");
	json_begin_object(w);
	if (q->data != NULL)
		q->data(q->ctx, w);
	json_end_object(w);
}

int
case_take_exhibit(struct casedir *c,
    void (*data)(void *ctx, struct json_write *w), void *ctx,
    char ret[CASE_BAG_MAX], struct err *e)
{
	struct request q = {data, ctx};
	struct case_what what = {"acquire", NULL, put_begin, &q};
	struct case_log *log = NULL;
	char name[CASE_BAG_MAX];
	uint64_t top = 0, v;
	size_t i;
	int r, n;

	if ((r = case_log_read(c->ledger, NULL, NULL, &log, e)) < 0)
		return r;
	for (i = 0; i < case_log_count(log); i++) {
		v = number(c->id, case_log_exhibit(log, i)->name);
		top = v > top ? v : top;
	}
	case_log_free(log);
	n = snprintf(name, sizeof(name), "%s-E%02llu", c->id,
	    (unsigned long long)top + 1);
	if (n < 0 || n >= CASE_BAG_MAX || top + 1 > CASE_LOG_EXHIBITS)
		return err_set(e, ERR_LIMIT,
		    "the case '%s' has no number "
		    "left for another exhibit",
		    c->id);
	what.exhibit = name;
	if ((r = case_event_append(c, &what, NULL, e)) < 0)
		return r;
	memcpy(ret, name, sizeof(name));
	return 0;
}
