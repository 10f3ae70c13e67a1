#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "cli/elsewhere.h"
#include "cli/remote.h"
#include "cli/tar_in.h"
#include "collector/source.h"

size_t
elsewhere_rows(struct elsewhere *x, struct opt *rows)
{
	const struct opt mine[ELSEWHERE_ROWS] = {
	    {OPT_STRING, 0, "ssh", &x->ssh, "[USER@]HOST",
		"sources are on that machine"},
	    {OPT_LIST, 0, "ssh-option", &x->ssh_options, "OPTION",
		"an option of ssh, as behind its -o"},
	    {OPT_STRING, 0, "remote-collect", &x->remote_collect, "PATH",
		"exhibit-collect is there (default: it is sent, and run "
		"without a file)"},
	    {OPT_STRING, 0, "collect-program", &x->program, "FILE",
		"what is sent (default: exhibit-collect beside exhibit)"},
	    {OPT_STRING, 0, "from-tar", &x->from_tar, "FILE",
		"take the members of a tar; - reads standard input"},
	    {OPT_STRING, 0, "class", &x->class, "CLASS",
		"what the tar holds: weights (default), training, registry, "
		"api-logs"}};

	for (size_t i = 0; i < ELSEWHERE_ROWS; i++)
		rows[i] = mine[i];
	return ELSEWHERE_ROWS;
}

bool
elsewhere_wanted(const struct elsewhere *x)
{
	return x->ssh != NULL || x->from_tar != NULL;
}

/* Nothing is read, resolved or waited for here: it is in the tar. */
static bool
has_scope(const struct collect_args *a)
{
	return a->since != NULL || a->until != NULL ||
	    a->excludes.count > 0 || a->one_file_system ||
	    a->follow_mounts != NULL || a->max_bytes != NULL ||
	    a->limit_rate != NULL || a->environ != NULL ||
	    a->copy_libraries || a->double_read;
}

const char *
elsewhere_check(const struct elsewhere *x, const struct collect_args *a,
    bool plan)
{
	if (x->ssh == NULL && (x->ssh_options.count > 0 ||
	    x->remote_collect != NULL || x->program != NULL))
		return "--ssh-option, --remote-collect and --collect-program "
		    "need --ssh";
	if (x->remote_collect != NULL && x->program != NULL)
		return "--remote-collect is there, --collect-program is sent";
	if (x->ssh != NULL && x->from_tar != NULL)
		return "--ssh and --from-tar are two ways: `ssh HOST tar cf - "
		    "PATH | exhibit collect --from-tar -`";
	if (x->class != NULL && x->from_tar == NULL)
		return "--class says what --from-tar holds";
	if (x->from_tar != NULL && has_scope(a))
		return "--from-tar takes all of a tar as it comes: --since, "
		    "--until, --exclude, --one-file-system, --follow-mounts, "
		    "--max-bytes, --limit-rate, --environ, --copy-libraries "
		    "and --double-read are for what is read where it lies";
	if (x->from_tar != NULL && strcmp(x->from_tar, "-") == 0 &&
	    a->passphrase_file != NULL &&
	    strcmp(a->passphrase_file, "-") == 0)
		return "standard input is the tar, and no passphrase";
	if (elsewhere_wanted(x) && (plan || a->dry_run))
		return "a plan, --discover and --dry-run are for sources on "
		    "this machine";
	return NULL;
}

/* Sources as they are written. */
static int
take_sources(struct collect_args *a, struct err *e)
{
	size_t n = 0;
	int r;

	for (size_t i = 0; i < source_count(); i++)
		n += a->paths[i].count;
	if (n == 0)
		return err_set(e, ERR_ARG, "nothing to collect: name a source");
	if ((a->sources = calloc(n, sizeof(*a->sources))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < source_count(); i++)
		for (size_t k = 0; k < a->paths[i].count; k++) {
			struct collect_source *s = &a->sources[a->nsources++];

			if ((r = collect_args_defaults(a, s, e)) < 0)
				return r;
			s->class = source_at(i)->class;
			s->kind = source_at(i)->kind;
			s->path = s->given = a->paths[i].items[k];
		}
	return 0;
}

/* The tar is the one source. */
static int
take_tar(const struct elsewhere *x, struct collect_args *a, struct err *e)
{
	const char *class = x->class != NULL ? x->class : "weights";

	for (size_t i = 0; i < source_count(); i++)
		if (a->paths[i].count > 0)
			return err_set(e, ERR_ARG, "--from-tar is the source; "
			    "--class says what it holds");
	if ((a->sources = calloc(1, sizeof(*a->sources))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (!bag_class_parse(class, strlen(class), &a->sources[0].class))
		return err_set(e, ERR_ARG, "--class is weights, training, "
		    "registry, api-logs, host or other");
	a->sources[0].path = x->from_tar;
	a->nsources = 1;
	return 0;
}

int
elsewhere_options(struct elsewhere *x, struct collect_args *a,
    struct collect_options *o, struct err *e)
{
	struct opt_list none[COLLECT_KINDS] = {0}, paths[COLLECT_KINDS];
	int r;

	memcpy(paths, a->paths, sizeof(paths));
	memcpy(a->paths, none, sizeof(none));
	r = collect_args_options(a, o, e);
	memcpy(a->paths, paths, sizeof(paths));
	if (r < 0 || (r = x->from_tar != NULL ? take_tar(x, a, e) :
	    take_sources(a, e)) < 0)
		return r;
	o->sources = a->sources;
	o->nsources = a->nsources;
	return 0;
}

int
elsewhere_prepare(struct elsewhere *x, struct err *e)
{
	const struct remote_params p = {x->ssh, &x->ssh_options,
	    x->remote_collect, x->program};

	if (x->from_tar != NULL)
		return tar_in_start(x->from_tar, &x->tar, e);
	return remote_new(&p, &x->remote, e);
}

/* The arguments over there: "--name=value", so that no value is an option. */
struct words {
	char **p;
	size_t n, cap;
	bool failed;
};

static void
add(struct words *w, const char *name, const char *value)
{
	if (w->n + 1 == w->cap || (value != NULL ?
	    asprintf(&w->p[w->n], "--%s=%s", name, value) :
	    asprintf(&w->p[w->n], "--%s", name)) < 0)
		w->failed = true;
	else
		w->p[++w->n] = NULL;
}

static void
add_all(struct words *w, const struct collect_args *a,
    const struct collect_options *o)
{
	const struct {
		const char *name, *value;
	} texts[] = {{"purpose", a->purpose}, {"authority", a->authority},
	    {"exhibit", a->exhibit}, {"digest", a->digest},
	    {"organisation", a->organisation}, {"contact", a->contact},
	    {"witness", a->witness}, {"write-blocker", a->write_blocker},
	    {"reference-time", a->reference_time},
	    {"since", a->since}, {"until", a->until},
	    {"follow-mounts", a->follow_mounts},
	    {"max-bytes", a->max_bytes}, {"limit-rate", a->limit_rate},
	    {"nice", a->nice}, {"environ", a->environ}};
	char when[24];

	(void)snprintf(when, sizeof(when), "%llu",
	    (unsigned long long)o->header_time);
	add(w, "body", NULL);
	add(w, "output", "-");
	add(w, "name", o->bag);
	add(w, "header-time", when);
	add(w, "examiner", o->examiner);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].value != NULL)
			add(w, texts[i].name, texts[i].value);
	if (a->one_file_system)
		add(w, "one-file-system", NULL);
	if (a->copy_libraries)
		add(w, "copy-libraries", NULL);
	if (a->double_read)
		add(w, "double-read", NULL);
	if (a->quiet)
		add(w, "quiet", NULL);
	for (size_t i = 0; i < a->excludes.count; i++)
		add(w, "exclude", a->excludes.items[i]);
	for (size_t i = 0; i < source_count(); i++)
		for (size_t k = 0; k < a->paths[i].count; k++)
			add(w, source_at(i)->option, a->paths[i].items[k]);
}

int
elsewhere_begin(struct elsewhere *x, const struct collect_args *a,
    struct acquire_params *p, struct err *e)
{
	struct words w = {.cap = 40 + a->nsources + a->excludes.count};
	int r;

	if (x->tar != NULL) {
		p->fill = foreign_tar;
		p->fill_ctx = tar_in_foreign(x->tar);
		return 0;
	}
	p->collect.header_time = (uint64_t)(clock_real_ns() / 1000000000);
	if ((w.p = calloc(w.cap, sizeof(*w.p))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	add_all(&w, a, &p->collect);
	r = w.failed ? err_set(e, ERR_NOMEM, "out of memory") :
	    remote_run(x->remote, (const char *const *)w.p, e);
	for (size_t i = 0; i < w.n; i++)
		free(w.p[i]);
	free(w.p);
	p->fill = receive_body;
	p->fill_ctx = remote_receive(x->remote);
	return r;
}

void
elsewhere_end(struct elsewhere *x)
{
	remote_free(x->remote);
	tar_in_free(x->tar);
	x->remote = NULL;
	x->tar = NULL;
}

void
elsewhere_request(const struct elsewhere *x, struct json_write *w)
{
	if (x->ssh != NULL)
		json_ktext(w, "from_host", x->ssh, strlen(x->ssh));
	if (x->from_tar != NULL)
		json_ktext(w, "from_tar", x->from_tar, strlen(x->from_tar));
}
