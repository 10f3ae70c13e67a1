#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/collect_args.h"
#include "collector/source.h"
#include "custody/digest.h"
#include "custody/sign.h"

size_t
collect_args_rows(struct collect_args *a, struct opt *rows)
{
	const struct opt fixed[] = {
	    {OPT_FLAG, 0, "double-read", &a->double_read, NULL,
		"read every object twice and compare"},
	    {OPT_STRING, 0, "digest", &a->digest, "LIST",
		"sha256 (default) or sha256,sha512"},
	    {OPT_STRING, 0, "purpose", &a->purpose, "TEXT",
		"why the evidence is taken"},
	    {OPT_STRING, 0, "tsa", &a->tsa, "WHERE",
		"URL, stick:DIR or none (default: the local authority)"},
	    {OPT_STRING, 0, "keys", &a->keys, "KEYDIR",
		"directory that keygen made"},
	    {OPT_STRING, 0, "passphrase-file", &a->passphrase_file, "FILE",
		"passphrase of the keys; - reads standard input"},
	    {OPT_STRING, 'o', "output", &a->output, "FILE",
		"write the bundle to FILE; - is standard output"},
	    {OPT_FLAG, 'q', "quiet", &a->quiet, NULL, "no talk"},
	    {OPT_FLAG, 'v', "verbose", &a->verbose, NULL, "more talk"}};
	size_t n = 0;

	BUG_ON(source_count() > COLLECT_KINDS);
	for (size_t i = 0; i < source_count(); i++)
		rows[n++] = (struct opt){OPT_LIST, 0, source_at(i)->option,
		    &a->paths[i], "PATH", source_at(i)->help};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		rows[n++] = fixed[i];
	return n;
}

/* "mlflow:..." and the like are for kinds of registries. */
static bool
is_uri(const char *path)
{
	size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789+");

	return n > 1 && path[n] == ':' && access(path, F_OK) != 0;
}

int
collect_args_sources(struct collect_args *a, struct err *e)
{
	size_t n = 0;
	char shown[128];

	for (size_t i = 0; i < source_count(); i++)
		n += a->paths[i].count;
	if (n == 0)
		return err_set(e, ERR_ARG, "nothing to collect: name a source");
	if ((a->sources = calloc(n, sizeof(*a->sources))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < source_count(); i++)
		for (size_t k = 0; k < a->paths[i].count; k++) {
			const char *path = a->paths[i].items[k];

			if (*path == '\0' || is_uri(path))
				return err_set(e, ERR_ARG, "'%s': this version "
				    "takes files and directories",
				    text_z(shown, sizeof(shown), path,
				    strlen(path)));
			a->sources[a->nsources++] = (struct collect_source){
			    .class = source_at(i)->class, .path = path};
		}
	return 0;
}

int
collect_args_digests(const struct collect_args *a, unsigned *ret,
    struct err *e)
{
	if (a->digest == NULL || strcmp(a->digest, "sha256") == 0)
		*ret = DIGEST_SHA256;
	else if (strcmp(a->digest, "sha256,sha512") == 0)
		*ret = DIGEST_SHA256 | DIGEST_SHA512;
	else
		return err_set(e, ERR_ARG,
		    "--digest is sha256 or sha256,sha512");
	return 0;
}

void
collect_args_release(struct collect_args *a)
{
	free(a->sources);
	a->sources = NULL;
}

void
collect_args_progress(void *ctx, const struct collect_totals *t,
    const char *path)
{
	struct collect_args *a = ctx;
	char shown[80];

	a->bar.objects = t->objects;
	progress_show(&a->bar, t->bytes, 0,
	    text_z(shown, sizeof(shown), path, strlen(path)));
}

const char *
collect_args_stick(const struct collect_args *a)
{
	return a->tsa != NULL && strncmp(a->tsa, "stick:", 6) == 0 ?
	    a->tsa + 6 : NULL;
}

int
collect_stamp_local(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	const struct collect_stamp *s = ctx;
	struct buf tsq;
	int r;

	buf_init(&tsq, LIMIT_TSR);
	if ((r = tstamp_query(p7s, n, &tsq, e)) >= 0)
		r = tstamp_local(s->signer, tsq.p, tsq.len, tsr, e);
	buf_release(&tsq);
	return r;
}

/* Wait until somebody brings the reply, whole. */
static int
wait_reply(const char *path, const struct buf *tsq, const void *p7s, size_t n,
    struct buf *tsr, struct err *e)
{
	struct err why = ERR_INIT;
	int64_t when;

	for (;;) {
		buf_clear(tsr);
		if (access(path, F_OK) == 0 &&
		    fsio_read_file(AT_FDCWD, path, LIMIT_TSR, tsr, &why) >= 0 &&
		    tstamp_accept(tsq->p, tsq->len, tsr->p, tsr->len, p7s, n,
		    NULL, &when, &why) >= 0)
			return 0;
		if (why.code == ERR_VERIFY && tsr->len > 0) {
			/* A reply to another query will not become ours. */
			(void)sleep(1);
			if (access(path, F_OK) == 0)
				return err_set(e, ERR_VERIFY, "'%s': %s", path,
				    why.msg);
		}
		err_reset(&why);
		(void)sleep(1);
	}
}

int
collect_stamp_stick(void *ctx, const void *p7s, size_t n, struct buf *tsr,
    struct err *e)
{
	const struct collect_stamp *s = ctx;
	char query[LIMIT_PATH], reply[LIMIT_PATH], tmp[LIMIT_PATH];
	struct buf tsq;
	int r;

	(void)snprintf(query, sizeof(query), "%s/%s.tsq", s->stick, s->bag);
	(void)snprintf(tmp, sizeof(tmp), "%s/.%s.tsq", s->stick, s->bag);
	(void)snprintf(reply, sizeof(reply), "%s/%s.tsr", s->stick, s->bag);
	buf_init(&tsq, LIMIT_TSR);
	if ((r = tstamp_query(p7s, n, &tsq, e)) >= 0 &&
	    (r = fsio_write_new(AT_FDCWD, tmp, 0644, tsq.p, tsq.len, e)) >=
	    0 && (r = fsio_publish(AT_FDCWD, tmp, query, NULL, e)) >= 0) {
		(void)fprintf(stderr, "exhibit: the query is '%s'; waiting for "
		    "'%s'\n", query, reply);
		r = wait_reply(reply, &tsq, p7s, n, tsr, e);
	}
	buf_release(&tsq);
	return r;
}

void
collect_args_talk(const char *program, const struct collect_args *a,
    const struct acquired *r)
{
	const struct collect_totals *t = &r->totals;

	if (a->quiet)
		return;
	(void)fprintf(stderr, "%s: %llu objects, %llu stored, %llu bytes",
	    program, (unsigned long long)t->objects,
	    (unsigned long long)t->stored, (unsigned long long)t->bytes);
	if (t->changed > 0)
		(void)fprintf(stderr, ", %llu changed while they were read",
		    (unsigned long long)t->changed);
	if (t->errors > 0)
		(void)fprintf(stderr, "; %llu could not be read: see "
		    "metadata/errors.jsonl", (unsigned long long)t->errors);
	(void)fputc('\n', stderr);
	if (a->verbose)
		(void)fprintf(stderr, "%s: copied and synced in %.2f seconds, "
		    "read back in %.2f seconds\n", program, r->copy_seconds,
		    r->verify_seconds);
}
