#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/case.h"
#include "custody/case_dir.h"
#include "custody/digest.h"
#include "custody/sign.h"

/*
 * Method.  The directory and bundles/ come first, then the whole database
 * under another name, closed (so its journal is gone), and then its name.
 * A crash before the last step leaves no case.db, which case_open and the
 * next case new recognise; a failure removes what this call has made, and
 * nothing else.
 */
struct making {
	const char *dir, *id, *examiner, *keys;
	const struct signer *signer;
	struct casedir c;
	const char *pem[CASE_PARTIES];
	bool made_dir, made_bundles, made_db;
};

/*
 * Printable as it stands: a backslash would be escaped each time that the
 * name is written from the event before.
 */
static bool
name_ok(const char *s)
{
	size_t n = strlen(s), i, step;
	uint32_t cp;

	for (i = 0; i < n; i += step)
		if ((step = text_utf8_len((const uint8_t *)s + i, n - i,
			 &cp)) == 0 ||
		    cp == '\\' || !text_cp_printable(cp))
			return false;
	return n > 0 && n <= CASE_NAME_MAX;
}

static int
check_names(const struct making *m, struct err *e)
{
	if (!bag_name_ok(m->id, strlen(m->id)) || strlen(m->id) > CASE_ID_MAX)
		return err_set(e, ERR_ARG,
		    "'%s' cannot be a case's "
		    "identifier: 1 to %d of A-Z a-z 0-9 . _ -",
		    m->id, CASE_ID_MAX);
	if (!name_ok(m->examiner))
		return err_set(e, ERR_ARG,
		    "an examiner's name is 1 to %d "
		    "bytes of printable text without backslash",
		    CASE_NAME_MAX);
	if (m->keys == NULL || m->keys[0] == '\0')
		return err_set(e, ERR_ARG, "a case needs a directory of keys");
	return 0;
}

/* The digest of the first certificate, as DER, and of the PEM as it is. */
static int
read_party(struct making *m, unsigned i, const char *role, const char *pem,
    struct err *e)
{
	struct case_party *p = &m->c.party[i];
	unsigned n = 0;
	struct digests now;
	X509 *x = NULL;
	BIO *bio = NULL;
	int r;

	if (pem == NULL)
		return 0;
	if ((r = digest_mem(pem, strlen(pem), DIGEST_SHA256, &now, e)) < 0)
		return r;
	if (strlen(pem) > LEDGER_BODY_MAX)
		return err_set(e, ERR_LIMIT,
		    "the certificates of the %s are too large", role);
	if ((bio = BIO_new_mem_buf(pem, -1)) == NULL ||
	    (x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) == NULL ||
	    X509_digest(x, EVP_sha256(), p->cert_sha256, &n) != 1 || n != 32) {
		r = err_set(e, ERR_CRYPTO,
		    "cannot read the certificate of the %s", role);
		goto out;
	}
	memcpy(p->pem_sha256, now.sha256, 32);
	p->role = role;
	m->pem[i] = pem;
out:
	X509_free(x);
	BIO_free(bio);
	return r;
}

static int
check_empty(int dirfd, const char *dir, struct err *e)
{
	struct dirent *d;
	DIR *list;
	bool db = false, half = false, any = false;
	int fd;

	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot read '%s'", dir);
	if ((list = fdopendir(fd)) == NULL) {
		close(fd);
		return err_sys(e, errno, "cannot read '%s'", dir);
	}
	while ((errno = 0, d = readdir(list)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		any = true;
		db = db || strcmp(d->d_name, CASE_DB) == 0;
		half = half || strcmp(d->d_name, CASE_DB_NEW) == 0;
	}
	fd = errno;
	closedir(list);
	if (fd != 0)
		return err_sys(e, fd, "cannot read '%s'", dir);
	if (!any)
		return 0;
	return err_set(e, ERR_EXISTS, "'%s' %s", dir,
	    db     ? "is a case already"
	    : half ? "is a half-made case: 'case new' was interrupted; remove "
		     "it and begin again"
		   : "is not empty");
}

static int
sync_parent(const char *dir, struct err *e)
{
	char above[PATH_MAX];
	const char *base;
	int fd, r;

	if ((r = fsio_parent(dir, above, sizeof(above), &base, e)) < 0)
		return r;
	if ((fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(e, errno, "cannot open '%s'", above);
	if (fsync(fd) != 0)
		r = err_sys(e, errno, "cannot sync '%s'", above);
	close(fd);
	return r;
}

static int
make_dirs(struct making *m, struct err *e)
{
	int r;

	if (mkdir(m->dir, 0700) == 0)
		m->made_dir = true;
	else if (errno != EEXIST)
		return err_sys(e, errno, "cannot make '%s'", m->dir);
	if ((m->c.dir = realpath(m->dir, NULL)) == NULL ||
	    (m->c.dirfd = open(m->c.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) <
		0)
		return err_sys(e, errno, "cannot open '%s'", m->dir);
	if ((r = check_empty(m->c.dirfd, m->dir, e)) < 0)
		return r;
	if (fchmod(m->c.dirfd, 0700) != 0)
		return err_sys(e, errno, "cannot make '%s' private", m->dir);
	if (mkdirat(m->c.dirfd, CASE_BUNDLES, 0700) != 0)
		return err_sys(e, errno, "cannot make '%s/%s'", m->dir,
		    CASE_BUNDLES);
	m->made_bundles = true;
	if (fsync(m->c.dirfd) != 0)
		return err_sys(e, errno, "cannot sync '%s'", m->dir);
	return m->made_dir ? sync_parent(m->c.dir, e) : 0;
}

static void
put_genesis(void *ctx, struct json_write *w)
{
	const struct making *m = ctx;
	char origin[CASE_ID_MAX + 16];
	unsigned i;

	snprintf(origin, sizeof(origin), "%s/ledger/1", m->id);
	json_kstr(w, "origin", origin);
	json_key(w, "parties");
	json_begin_array(w);
	for (i = 0; i < CASE_PARTIES && m->c.party[i].role != NULL; i++) {
		json_begin_object(w);
		json_khex(w, "cert_sha256", m->c.party[i].cert_sha256, 32);
		json_khex(w, "pem_sha256", m->c.party[i].pem_sha256, 32);
		json_kstr(w, "role", m->c.party[i].role);
		json_end_object(w);
	}
	json_end_array(w);
	json_kstr(w, "subject", signer_subject(m->signer));
}

static int
make_ledger(struct making *m, struct err *e)
{
	const struct case_what genesis = {"genesis", NULL, put_genesis, m};
	char *db = NULL, *keys = NULL;
	uint64_t seq;
	unsigned i;
	int r;

	if ((keys = realpath(m->keys, NULL)) == NULL)
		return err_sys(e, errno, "cannot find '%s'", m->keys);
	if (asprintf(&db, "%s/%s", m->c.dir, CASE_DB_NEW) < 0) {
		db = NULL;
		r = err_set(e, ERR_NOMEM,
		    "cannot make the case: out of memory");
		goto out;
	}
	if ((r = ledger_create(db, &m->c.ledger, e)) < 0)
		goto out;
	m->made_db = true;
	if ((r = case_event_append(&m->c, &genesis, &seq, e)) < 0)
		goto out;
	for (i = 0; i < CASE_PARTIES && m->c.party[i].role != NULL; i++)
		if ((r = ledger_party_add(m->c.ledger, m->c.party[i].role,
			 m->c.party[i].cert_sha256, m->pem[i], seq, e)) < 0)
			goto out;
	if ((r = ledger_set(m->c.ledger, "keys", keys, e)) < 0)
		goto out;
	ledger_close(m->c.ledger);
	m->c.ledger = NULL;
	if ((r = fsio_publish(m->c.dirfd, CASE_DB_NEW, CASE_DB, NULL, e)) >= 0)
		m->made_db = false;
out:
	free(db);
	free(keys);
	return r;
}

/* Remove what this call made; failures leave a half-made case, and say so. */
static void
undo(struct making *m)
{
	if (m->made_db) {
		ledger_close(m->c.ledger);
		m->c.ledger = NULL;
		unlinkat(m->c.dirfd, CASE_DB_NEW, 0);
		unlinkat(m->c.dirfd, CASE_DB_NEW "-journal", 0);
	}
	if (m->made_bundles)
		unlinkat(m->c.dirfd, CASE_BUNDLES, AT_REMOVEDIR);
	if (m->made_dir)
		rmdir(m->dir);
}

int
case_new(const char *dir, const char *id, const char *examiner,
    const char *keys, const struct signer *s, struct err *e)
{
	struct making m;
	int r;

	memset(&m, 0, sizeof(m));
	m.dir = dir;
	m.id = id;
	m.examiner = examiner;
	m.keys = keys;
	m.signer = s;
	m.c.dirfd = m.c.bundles = -1;
	m.c.writable = true;
	if ((r = check_names(&m, e)) < 0 ||
	    (r = read_party(&m, 0, "examiner", signer_pem(s), e)) < 0 ||
	    (r = read_party(&m, 1, "tsa", signer_tsa_pem(s), e)) < 0)
		goto out;
	if ((m.c.id = strdup(id)) == NULL ||
	    (m.c.examiner = strdup(examiner)) == NULL) {
		r = err_set(e, ERR_NOMEM,
		    "cannot make the case: out of memory");
		goto out;
	}
	if ((r = make_dirs(&m, e)) < 0 || (r = make_ledger(&m, e)) < 0)
		undo(&m);
out:
	ledger_close(m.c.ledger);
	if (m.c.dirfd >= 0)
		close(m.c.dirfd);
	free(m.c.dir);
	free(m.c.id);
	free(m.c.examiner);
	return r;
}
