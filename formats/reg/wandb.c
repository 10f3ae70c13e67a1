#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/base64.h"
#include "formats/doc.h"
#include "formats/pbwire.h"
#include "formats/reg/claim.h"
#include "formats/reg/regdoc.h"
#include "formats/reg/regtime.h"
#include "formats/reg/wandb.h"

/*
 * A run of Weights & Biases:
 *
 *	run-YYYYMMDD_HHMMSS-ID/run-ID.wandb	the log (wandblog.c)
 *	  files/wandb-metadata.json, config.yaml, wandb-summary.json
 *	  files/diff.patch, files/code/...	what the commit does not have
 *
 * Records are protobuf (wandb_internal.proto): run 17, artifact 8, config 5,
 * environment 26, use_artifact 25.  An artifact's manifest names its files
 * by MD5: those that lie in the run's files/ are held against it.
 */
static bool
wandb_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	static const char meta[] = "files/wandb-metadata.json";
	size_t n;
	const char *name = reg_name(f, &n);

	(void)t;
	if (f->type == REG_FOLDER)
		return false;
	if (n > 6 && memcmp(name + n - 6, ".wandb", 6) == 0)
		*root = f->path_len - n;
	else if (reg_ends(f, meta) && (f->path_len == sizeof(meta) - 1 ||
	    f->path[f->path_len - sizeof(meta)] == '/'))
		*root = f->path_len - (sizeof(meta) - 1);
	else
		return false;
	*root -= *root > 0;
	return true;
}

/* --- fields of a record, kept as text --- */

struct text {
	const char *p;
	size_t n;
};

/* Which field of a message goes where; ends with number 0. */
struct want {
	uint32_t number;
	struct text *text;	/* a string; or */
	uint64_t *value;	/* a number; or */
	int (*enter)(struct wandb *w, struct pbwire *pb, void *ctx);
	void *ctx;
};

static int
take(struct wandb *w, struct pbwire *pb, const struct pb_field *f,
    const struct want *want)
{
	char *copy;
	size_t n;
	int r;

	if (want->value != NULL && f->type == PB_VARINT)
		*want->value = f->value;
	if (f->type != PB_LEN)
		return 0;
	if (want->enter != NULL) {
		if (!pbwire_enter(pb, f))
			return 0;
		r = want->enter(w, pb, want->ctx);
		pbwire_leave(pb);
		return r;
	}
	if (want->text == NULL)
		return 0;
	n = f->len < MIB ? (size_t)f->len : MIB;
	if ((copy = arena_alloc(w->p->arena, n + 1)) == NULL)
		return err_set(w->p->e, ERR_NOMEM, "out of memory");
	if ((r = pbwire_copy(pb, f, copy, n, &n, w->p->e)) < 0)
		return r;
	*want->text = (struct text){copy, n};
	return 0;
}

/* 0, 1: the message is damaged, or negative. */
static int
each(struct wandb *w, struct pbwire *pb, const struct want *want)
{
	struct pb_field f;
	int found, r = 0;

	while ((found = pbwire_next(pb, &f, w->p->e)) == PB_FIELD && r >= 0)
		for (const struct want *k = want; k->number != 0; k++)
			if (k->number == f.number &&
			    (r = take(w, pb, &f, k)) != 0)
				return r;
	return found < 0 ? found : r < 0 ? r : found != PB_END;
}

static void
put(struct reg_row *row, enum reg_column c, struct text t)
{
	if (t.n > 0)
		fields_text(&row->v[c], t.p, t.n);
}

static void
begin(struct wandb *w, const char *type, struct reg_row *row)
{
	reg_row_init(w->p, w->log, row);
	reg_set(row, REG_TYPE, type);
	reg_set(row, REG_RUN, *w->run != '\0' ? w->run : NULL);
	reg_set(row, REG_EXPERIMENT, *w->project != '\0' ? w->project : NULL);
}

/* --- run, 17 --- */

struct run {
	struct text id, entity, project, name, host, remote, commit;
	uint64_t seconds, nanos;
};

static int
enter_git(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct run *run = ctx;
	const struct want want[] = {{1, &run->remote, NULL, NULL, NULL},
	    {2, &run->commit, NULL, NULL, NULL}, {0}};

	return each(w, pb, want);
}

static int
enter_time(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct run *run = ctx;
	const struct want want[] = {{1, NULL, &run->seconds, NULL, NULL},
	    {2, NULL, &run->nanos, NULL, NULL}, {0}};

	return each(w, pb, want);
}

static int
enter_run(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct run run = {0};
	const struct want want[] = {{1, &run.id, NULL, NULL, NULL},
	    {2, &run.entity, NULL, NULL, NULL},
	    {3, &run.project, NULL, NULL, NULL},
	    {8, &run.name, NULL, NULL, NULL},
	    {13, &run.host, NULL, NULL, NULL},
	    {17, NULL, NULL, enter_time, &run},
	    {21, NULL, NULL, enter_git, &run}, {0}};
	struct reg_row row;
	int r;

	(void)ctx;
	if ((r = each(w, pb, want)) != 0)
		return r;
	w->run = run.id.n > 0 ? run.id.p : w->run;
	w->project = run.project.n > 0 ? run.project.p : w->project;
	begin(w, "run", &row);
	put(&row, REG_USER, run.entity);
	put(&row, REG_DESCRIPTION, run.name);
	put(&row, REG_REPOSITORY, run.remote);
	put(&row, REG_COMMIT, run.commit);
	if (run.host.n > 0) {
		reg_set(&row, REG_KEY, "host");
		put(&row, REG_VALUE, run.host);
	}
	if (run.seconds > 0 && run.seconds < INT64_MAX / 1000000000 &&
	    run.nanos < 1000000000)
		fields_i64(&row.v[REG_CREATED],
		    (int64_t)(run.seconds * 1000000000 + run.nanos));
	return reg_send(w->p, &row);
}

/* --- artifact, 8; its manifest's files --- */

struct artifact {
	struct text type, name, digest;
	unsigned aliases;
};

static int
check_content(struct wandb *w, const struct artifact *a, struct text path,
    struct text digest, uint64_t size)
{
	struct claim c = {.hash = CLAIM_MD5, .by = w->log, .name = path.p,
	    .name_len = path.n, .sized = size > 0, .size = size};
	const struct reg_file *f;
	char rel[LIMIT_PATH];
	const uint8_t *raw;
	struct reg_row row;
	char hex[33];
	size_t n = 0;
	int r;

	begin(w, "artifact", &row);
	put(&row, REG_MODEL, a->name);
	put(&row, REG_ARTIFACT, path);
	if (base64_decode(w->p->arena, digest.p != NULL ? digest.p : "",
	    digest.n, BASE64_STRICT, &raw, &n) < 0 || n != 16) {
		put(&row, REG_DIGEST, digest);
		return reg_send(w->p, &row);
	}
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", raw[i]);
	c.digest = hex;
	c.digest_len = 32;
	(void)snprintf(rel, sizeof(rel), "files/%.*s", (int)path.n,
	    path.p != NULL ? path.p : "");
	if ((f = reg_at(w->p, rel)) != NULL && f->type != REG_FOLDER)
		return claim_check(w->p, f, &c, &row);
	reg_set(&row, REG_ALGORITHM, "md5");
	fields_text(&row.v[REG_DIGEST], hex, 32);
	if (size > 0)
		fields_u64(&row.v[REG_SIZE], size);
	r = reg_send(w->p, &row);
	return r;
}

static int
enter_content(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct text path = {0}, digest = {0};
	uint64_t size = 0;
	const struct want want[] = {{1, &path, NULL, NULL, NULL},
	    {2, &digest, NULL, NULL, NULL}, {4, NULL, &size, NULL, NULL},
	    {0}};
	int r = each(w, pb, want);

	return r != 0 ? r : check_content(w, ctx, path, digest, size);
}

static int
enter_manifest(struct wandb *w, struct pbwire *pb, void *ctx)
{
	const struct want want[] = {{4, NULL, NULL, enter_content, ctx}, {0}};

	return each(w, pb, want);
}

static int
enter_artifact(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct artifact a = {0};
	struct text alias = {0};
	const struct want want[] = {{4, &a.type, NULL, NULL, NULL},
	    {5, &a.name, NULL, NULL, NULL}, {6, &a.digest, NULL, NULL, NULL},
	    {11, &alias, NULL, NULL, NULL},
	    {12, NULL, NULL, enter_manifest, &a}, {0}};
	struct reg_row row;
	bool used = ctx != NULL;
	int r;

	if ((r = each(w, pb, want)) != 0)
		return r;
	begin(w, used ? "event" : "version", &row);
	put(&row, REG_MODEL, a.name);
	put(&row, REG_ALIAS, alias);
	if (a.digest.n > 0) {
		reg_set(&row, REG_ALGORITHM, "wandb");
		put(&row, REG_DIGEST, a.digest);
	}
	reg_set(&row, REG_KEY, used ? "used-artifact" : "artifact-type");
	put(&row, REG_VALUE, a.type);
	return reg_send(w->p, &row);
}

/* UseArtifactRecord has other numbers: id 1, type 2, name 3. */
static int
enter_used(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct text id = {0}, type = {0}, name = {0};
	const struct want want[] = {{1, &id, NULL, NULL, NULL},
	    {2, &type, NULL, NULL, NULL}, {3, &name, NULL, NULL, NULL}, {0}};
	struct reg_row row;
	int r;

	(void)ctx;
	if ((r = each(w, pb, want)) != 0)
		return r;
	begin(w, "event", &row);
	reg_set(&row, REG_KEY, "used-artifact");
	put(&row, REG_VALUE, type);
	put(&row, REG_MODEL, name);
	put(&row, REG_VERSION, id);
	return reg_send(w->p, &row);
}

/* --- config, 5; environment, 26 --- */

static int
enter_item(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct text key = {0}, value = {0};
	const struct want want[] = {{1, &key, NULL, NULL, NULL},
	    {16, &value, NULL, NULL, NULL}, {0}};
	struct reg_row row;
	int r;

	(void)ctx;
	if ((r = each(w, pb, want)) != 0)
		return r;
	begin(w, "run", &row);
	put(&row, REG_KEY, key);
	put(&row, REG_VALUE, value);
	return reg_send(w->p, &row);
}

static int
enter_config(struct wandb *w, struct pbwire *pb, void *ctx)
{
	const struct want want[] = {{1, NULL, NULL, enter_item, ctx}, {0}};

	return each(w, pb, want);
}

static int
enter_environment(struct wandb *w, struct pbwire *pb, void *ctx)
{
	struct text email = {0}, host = {0}, user = {0};
	const struct want want[] = {{10, &email, NULL, NULL, NULL},
	    {12, &host, NULL, NULL, NULL}, {13, &user, NULL, NULL, NULL},
	    {0}};
	struct reg_row row;
	int r;

	(void)ctx;
	if ((r = each(w, pb, want)) != 0)
		return r;
	begin(w, "event", &row);
	reg_set(&row, REG_KEY, "environment");
	put(&row, REG_VALUE, host);
	put(&row, REG_USER, email.n > 0 ? email : user);
	return reg_send(w->p, &row);
}

int
wandb_record(struct wandb *w, const void *record, size_t n, uint64_t off)
{
	static const struct want want[] = {{5, NULL, NULL, enter_config, NULL},
	    {8, NULL, NULL, enter_artifact, NULL},
	    {17, NULL, NULL, enter_run, NULL},
	    {25, NULL, NULL, enter_used, NULL},
	    {26, NULL, NULL, enter_environment, NULL}, {0}};
	struct arena *scratch = arena_new(LIMIT_REG_ARENA / 8);
	struct bytesrc *src = bytesrc_mem(record, n, w->p->e);
	struct pbwire pb;
	int r;

	if (scratch == NULL || src == NULL)
		r = err_set(w->p->e, ERR_NOMEM, "out of memory");
	else if ((r = pbwire_init(&pb, src, 0, n, 4 * KIB, scratch,
	    w->p->e)) >= 0)
		r = each(w, &pb, want);
	bytesrc_free(src);
	arena_free(scratch);
	if (r > 0)
		r = reg_bad(w->p, w->log, off, "not a record");
	return r < 0 ? r : 0;
}

/* --- the run's other files --- */

static int
read_metadata(struct wandb *w, const struct reg_file *f)
{
	const struct doc *d = NULL;
	struct reg_row row;
	const char *s;
	size_t n;
	int r;

	if ((r = regdoc_json(w->p, f, &d)) != 0)
		return r < 0 ? r : 0;
	reg_row_init(w->p, f, &row);
	reg_set(&row, REG_TYPE, "run");
	reg_set(&row, REG_RUN, *w->run != '\0' ? w->run : NULL);
	regdoc_text(&row.v[REG_USER], doc_key(d, "email"));
	if (!row.v[REG_USER].set)
		regdoc_text(&row.v[REG_USER], doc_key(d, "username"));
	regdoc_text(&row.v[REG_REPOSITORY], doc_get(d, "git.remote"));
	regdoc_text(&row.v[REG_COMMIT], doc_get(d, "git.commit"));
	regdoc_text(&row.v[REG_ARTIFACT], doc_key(d, "program"));
	reg_set(&row, REG_KEY, "host");
	regdoc_text(&row.v[REG_VALUE], doc_key(d, "host"));
	s = doc_str(doc_key(d, "startedAt"), &n);
	regtime_set(&row.v[REG_CREATED], s, n);
	return reg_send(w->p, &row);
}

/* Code and changes that the commit does not have: who did what. */
static int
read_others(struct wandb *w)
{
	size_t first, end, n;
	int r = 0;

	reg_below(w->p->tree, w->p->root, w->p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &w->p->tree->file[i];
		const char *rel = reg_relative(w->p, f, &n);
		struct reg_row row;

		if (f->type != REG_FILE || n < 12 ||
		    (memcmp(rel, "files/code/", 11) != 0 &&
		    !(memcmp(rel, "files/", 6) == 0 &&
		    reg_ends(f, ".patch"))))
			continue;
		reg_row_init(w->p, f, &row);
		reg_set(&row, REG_TYPE, "event");
		reg_set(&row, REG_RUN, *w->run != '\0' ? w->run : NULL);
		reg_set(&row, REG_KEY, reg_ends(f, ".patch") ?
		    "uncommitted-change" : "saved-code");
		fields_text(&row.v[REG_MEMBER], f->path, f->path_len);
		fields_u64(&row.v[REG_SIZE], f->size);
		r = reg_send(w->p, &row);
	}
	return r;
}

static int
wandb_read(struct reg_parse *p)
{
	struct wandb w = {p, NULL, "", ""};
	const struct reg_file *meta = reg_at(p, "files/wandb-metadata.json");
	size_t first, end, n;
	int r = 0;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *rel = reg_relative(p, f, &n);

		if (f->type == REG_FOLDER || !reg_ends(f, ".wandb") ||
		    memchr(rel, '/', n) != NULL)
			continue;
		w.log = f;
		r = wandb_log(&w, f);
	}
	if (r >= 0 && meta != NULL)
		r = read_metadata(&w, meta);
	return r < 0 ? r : read_others(&w);
}

const struct reg_reader reg_wandb = {"wandb", wandb_find, wandb_read};
