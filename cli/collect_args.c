#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/collect_args.h"
#include "collector/glob.h"
#include "collector/source.h"
#include "collector/throttle.h"
#include "collector/value.h"
#include "custody/digest.h"

static size_t
scope_rows(struct collect_args *a, struct opt *rows)
{
	const struct opt scope[] = {
	    {OPT_STRING, 0, "since", &a->since, "TIME",
		"API logs from this moment (RFC 3339, or a date)"},
	    {OPT_STRING, 0, "until", &a->until, "TIME",
		"API logs before this moment"},
	    {OPT_STRING, 0, "log-zone", &a->log_zone, "+HH:MM",
		"of times in logs that name no zone (default: UTC)"},
	    {OPT_FLAG, 0, "mask-content", &a->mask_content, NULL,
		"leave what was asked and answered out of requests.jsonl"},
	    {OPT_STRING, 0, "environ", &a->environ, "WHAT",
		"of a process: names (default), or values too"},
	    {OPT_FLAG, 0, "copy-libraries", &a->copy_libraries, NULL,
		"of a process: the bytes of its libraries too"},
	    {OPT_LIST, 0, "exclude", &a->excludes, "GLOB",
		"leave out what has this name, or this path"},
	    {OPT_FLAG, 0, "one-file-system", &a->one_file_system, NULL,
		"the same as --follow-mounts none"},
	    {OPT_STRING, 0, "follow-mounts", &a->follow_mounts, "WHICH",
		"all (default), local or none"},
	    {OPT_STRING, 0, "max-bytes", &a->max_bytes, "BYTES",
		"of each source; K, M, G, T are powers of 1024"},
	    {OPT_STRING, 0, "limit-rate", &a->limit_rate, "BYTES",
		"read at most so many a second"},
	    {OPT_STRING, 0, "nice", &a->nice, "N",
		"lower the priority of processor and disk: 0 to 19"}};
	size_t n = sizeof(scope) / sizeof(scope[0]);

	memcpy(rows, scope, sizeof(scope));
	return n;
}

/* What only the person at the keyboard knows. */
static size_t
said_rows(struct collect_args *a, struct opt *rows)
{
	const struct opt said[] = {
	    {OPT_STRING, 0, "purpose", &a->purpose, "TEXT",
		"why the evidence is taken"},
	    {OPT_STRING, 0, "authority", &a->authority, "TEXT",
		"who allowed it: warrant, consent, policy"},
	    {OPT_STRING, 0, "exhibit", &a->exhibit, "TEXT",
		"a label or number of your own"},
	    {OPT_STRING, 0, "organisation", &a->organisation, "TEXT",
		"the examiner's"},
	    {OPT_STRING, 0, "contact", &a->contact, "TEXT",
		"how the examiner can be reached"},
	    {OPT_STRING, 0, "witness", &a->witness, "NAME",
		"who is present"},
	    {OPT_STRING, 0, "write-blocker", &a->write_blocker, "TEXT",
		"make and serial number, if there is one"},
	    {OPT_STRING, 0, "reference-time", &a->reference_time, "TIME",
		"what a clock that you trust says now"}};
	size_t n = sizeof(said) / sizeof(said[0]);

	memcpy(rows, said, sizeof(said));
	return n;
}

static size_t
seal_rows(struct collect_args *a, struct opt *rows)
{
	const struct opt seal[] = {
	    {OPT_FLAG, 0, "double-read", &a->double_read, NULL,
		"read every object twice and compare"},
	    {OPT_STRING, 0, "digest", &a->digest, "LIST",
		"sha256 (default) or sha256,sha512"},
	    {OPT_STRING, 0, "tsa", &a->tsa, "WHERE",
		"URL, stick:DIR or none (default: the local authority)"},
	    {OPT_STRING, 0, "keys", &a->keys, "KEYDIR",
		"directory that keygen made"},
	    {OPT_STRING, 0, "passphrase-file", &a->passphrase_file, "FILE",
		"passphrase of the keys; - reads standard input"},
	    {OPT_FLAG, 0, "dry-run", &a->dry_run, NULL,
		"print what would be taken; needs no key"},
	    {OPT_STRING, 0, "format", &a->format, "FORMAT",
		"of --dry-run: text, jsonl or json"},
	    {OPT_STRING, 'o', "output", &a->output, "FILE",
		"write the bundle to FILE; - is standard output"},
	    {OPT_FLAG, 'q', "quiet", &a->quiet, NULL, "no talk"},
	    {OPT_FLAG, 'v', "verbose", &a->verbose, NULL, "more talk"}};
	size_t n = sizeof(seal) / sizeof(seal[0]);

	memcpy(rows, seal, sizeof(seal));
	return n;
}

size_t
collect_args_rows(struct collect_args *a, struct opt *rows)
{
	size_t n = 0;

	BUG_ON(source_count() > COLLECT_KINDS);
	for (size_t i = 0; i < source_count(); i++)
		rows[n++] = (struct opt){OPT_LIST, 0, source_at(i)->option,
		    &a->paths[i], source_at(i)->arg, source_at(i)->help};
	n += scope_rows(a, rows + n);
	n += said_rows(a, rows + n);
	n += seal_rows(a, rows + n);
	BUG_ON(n > COLLECT_ARGS_ROWS);
	return n;
}

static int
take_mounts(const struct collect_args *a, struct collect_options *o,
    struct err *e)
{
	const char *which = a->follow_mounts;

	if (which != NULL && a->one_file_system)
		return err_set(e, ERR_ARG, "--one-file-system and "
		    "--follow-mounts say the same");
	if (a->one_file_system || (which != NULL &&
	    strcmp(which, "none") == 0))
		o->mounts = COLLECT_MOUNTS_NONE;
	else if (which != NULL && strcmp(which, "local") == 0)
		o->mounts = COLLECT_MOUNTS_LOCAL;
	else if (which != NULL && strcmp(which, "all") != 0)
		return err_set(e, ERR_ARG,
		    "--follow-mounts is all, local or none");
	return 0;
}

static int
take_limits(const struct collect_args *a, struct collect_options *o,
    struct err *e)
{
	uint64_t nice;

	if (a->limit_rate != NULL && (!value_size(a->limit_rate,
	    strlen(a->limit_rate), &o->limit_rate) || o->limit_rate == 0))
		return err_set(e, ERR_ARG,
		    "--limit-rate is a number, or one with K, M, G or T");
	if (a->nice == NULL)
		return 0;
	if (!value_number(a->nice, strlen(a->nice), THROTTLE_NICE_MAX, &nice))
		return err_set(e, ERR_ARG, "--nice is 0 to %d",
		    THROTTLE_NICE_MAX);
	o->has_nice = true;
	o->nice = (int)nice;
	return 0;
}

static int
take_times(const struct collect_args *a, struct collect_options *o,
    struct err *e)
{
	if (a->reference_time != NULL && (!value_time(a->reference_time,
	    strlen(a->reference_time), &o->reference_ns) ||
	    strlen(a->reference_time) < 11))
		return err_set(e, ERR_ARG, "--reference-time is a time of "
		    "RFC 3339, as 2026-11-24T10:45:00Z");
	if (a->log_zone != NULL && !value_zone(a->log_zone, &o->zone_seconds))
		return err_set(e, ERR_ARG,
		    "--log-zone is +HH:MM, -HH:MM or Z");
	o->zone_given = a->log_zone != NULL;
	o->mask_content = a->mask_content;
	return 0;
}

static int
take_digests(const struct collect_args *a, unsigned *ret, struct err *e)
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

int
collect_args_options(struct collect_args *a, struct collect_options *o,
    struct err *e)
{
	char shown[128];
	int r;

	for (size_t i = 0; i < a->excludes.count; i++)
		if (!glob_ok(a->excludes.items[i]))
			return err_set(e, ERR_ARG, "--exclude '%s' cannot "
			    "match anything", text_z(shown, sizeof(shown),
			    a->excludes.items[i],
			    strlen(a->excludes.items[i])));
	if ((r = collect_args_sources(a, e)) < 0 ||
	    (r = take_mounts(a, o, e)) < 0 ||
	    (r = take_limits(a, o, e)) < 0 ||
	    (r = take_times(a, o, e)) < 0 ||
	    (r = take_digests(a, &o->digests, e)) < 0)
		return r;
	o->sources = a->sources;
	o->nsources = a->nsources;
	o->excludes = a->excludes.items;
	o->nexcludes = a->excludes.count;
	o->double_read = a->double_read;
	o->purpose = a->purpose;
	o->authority = a->authority;
	o->exhibit = a->exhibit;
	o->organisation = a->organisation;
	o->contact = a->contact;
	o->witness = a->witness;
	o->write_blocker = a->write_blocker;
	o->progress = collect_args_progress;
	o->progress_ctx = a;
	return 0;
}

int
collect_args_absolute(const char *given, char **ret, struct err *e)
{
	char cwd[LIMIT_PATH];

	if (given == NULL)
		return 0;
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return err_sys(e, errno, "cannot tell where this is");
	return asprintf(ret, "%s%s%s", *given == '/' ? "" : cwd,
	    *given == '/' ? "" : "/", given) >= 0 ? 0 :
	    err_set(e, ERR_NOMEM, "out of memory");
}

int
collect_args_again(struct collect_args *then, const struct collect_args *now,
    char *path[2], struct err *e)
{
	int r;

	if ((r = collect_args_absolute(now->keys, &path[0], e)) < 0 ||
	    (r = collect_args_absolute(now->output, &path[1], e)) < 0)
		return r;
	if (path[0] != NULL)
		then->keys = path[0];
	then->output = path[1];
	if (now->passphrase_file != NULL)
		then->passphrase_file = now->passphrase_file;
	if (now->limit_rate != NULL)
		then->limit_rate = now->limit_rate;
	if (now->nice != NULL)
		then->nice = now->nice;
	then->quiet = now->quiet;
	then->verbose = now->verbose;
	return 0;
}

void
collect_args_release(struct collect_args *a)
{
	free(a->sources);
	for (size_t i = 0; i < a->ncut; i++)
		free(a->cut[i]);
	free(a->cut);
	a->sources = NULL;
	a->cut = NULL;
	a->ncut = 0;
}

/* Known for nothing when each source is one file. */
static uint64_t
total_of(const struct collect_options *o)
{
	uint64_t total = 0;
	struct stat st;

	for (size_t i = 0; i < o->nsources; i++) {
		const struct collect_source *s = &o->sources[i];

		if (s->url || s->kind >= SOURCE_PROCESS ||
		    lstat(s->path, &st) < 0 || !S_ISREG(st.st_mode))
			return 0;
		total += (uint64_t)st.st_size;
	}
	return total;
}

void
collect_args_begin(struct collect_args *a, const struct collect_options *o)
{
	progress_init(&a->bar, a->quiet);
	a->total = a->bar.on ? total_of(o) : 0;
}

void
collect_args_progress(void *ctx, const struct collect_totals *t,
    const char *path)
{
	struct collect_args *a = ctx;
	char shown[80];

	a->bar.objects = t->objects;
	progress_show(&a->bar, t->bytes, a->total,
	    text_z(shown, sizeof(shown), path, strlen(path)));
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
