#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/torch.h"
#include "formats/torch_storage.h"
#include "formats/zip.h"

/*
 * The root folder is what stands before data.pkl; torch compares names
 * without case.
 */
#define MAIN "data.pkl"
#define DEFLATED 8

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
folds_to(const char *p, size_t n, const char *text)
{
	if (n != strlen(text))
		return false;
	for (size_t i = 0; i < n; i++)
		if (fold(p[i]) != text[i])
			return false;
	return true;
}

/* <root>/data.pkl: *root is the length with the slash. */
static bool
is_main(const struct zip_member *m, size_t *root)
{
	size_t n = strlen(MAIN);

	if (m->name_len <= n || m->name[m->name_len - n - 1] != '/' ||
	    !folds_to(m->name + m->name_len - n, n, MAIN))
		return false;
	*root = m->name_len - n;
	/* One level: root/data.pkl, not a/b/data.pkl of something else. */
	return memchr(m->name, '/', *root - 1) == NULL;
}

static const struct zip_member *
find_main(const struct zip_dir *d, size_t *root)
{
	for (size_t i = 0; i < d->count; i++)
		if (is_main(&d->m[i], root))
			return &d->m[i];
	return NULL;
}

/* <root>/.data/version: an archive of torch.package. */
static bool
is_package(const struct zip_member *m, size_t *root)
{
	static const char tail[] = "/.data/version";
	const size_t n = sizeof(tail) - 1;

	if (m->name_len <= n ||
	    memcmp(m->name + m->name_len - n, tail, n) != 0)
		return false;
	*root = m->name_len - n + 1;
	return memchr(m->name, '/', *root - 1) == NULL;
}

bool
torch_is_package(const struct zip_dir *d, size_t *root)
{
	for (size_t i = 0; i < d->count; i++)
		if (is_package(&d->m[i], root))
			return true;
	return false;
}

bool
torch_is(const struct zip_dir *d)
{
	size_t root;

	return find_main(d, &root) != NULL;
}

/* <root>/data/<key> */
static bool
is_storage(const struct zip_member *m, size_t root)
{
	return m->name_len > root + 5 &&
	    folds_to(m->name + root, 5, "data/") &&
	    memchr(m->name + root + 5, '/', m->name_len - root - 5) == NULL;
}

static bool
is_pickle(const struct zip_member *m)
{
	return (m->name_len > 4 && folds_to(m->name + m->name_len - 4, 4,
	    ".pkl")) || (m->name_len > 10 &&
	    folds_to(m->name + m->name_len - 10, 10, ".debug_pkl"));
}

/*
 * torch stores its storages, but reads deflated ones as well: who deflates
 * them would hide their bytes from whoever looks into weights.  What does not
 * inflate is told where the member is.
 */
static int
deflated_storage(struct parse *p, const struct zip_member *m,
    struct ev_tensor *t)
{
	struct bytesrc *src = NULL;
	struct codec_result c;
	struct arena *a;
	int r;

	if (p->ev->tensor == NULL)
		return 0;
	if ((a = arena_new(2 * LIMIT_INFLATE + MIB)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory to inflate");
	if ((r = codec_inflate(CODEC_RAW, p->src, m->data, m->packed,
	    m->size, format_room(p, LIMIT_INFLATE), a, &c, p->e)) >= 0) {
		t->off = 0;
		t->len = c.n;
		t->src = src = bytesrc_mem(c.p, c.n, p->e);
		r = src == NULL ? ERR_NOMEM : format_tensor(p, t);
	}
	bytesrc_free(src);
	arena_free(a);
	return r;
}

static int
check_storage(struct parse *p, const struct zip_member *m,
    const struct torch_storage *s)
{
	struct ev_tensor t = {.name = s->key, .name_len = s->key_len,
	    .dtype = s->dtype};
	struct fact facts[3];

	facts[0] = (struct fact)FACT_TEXT("storage", s->key, s->key_len);
	t.off = m->data;
	/* Two sizes may be stated; stored bytes within the file are at hand. */
	t.len = m->method == 0 && m->data != 0 ? m->packed : 0;
	if (s->bytes != UINT64_MAX && s->bytes != m->size) {
		int r;

		facts[1] = (struct fact)FACT_NUM("stated", s->bytes);
		facts[2] = (struct fact)FACT_NUM("present", m->size);
		if ((r = format_anomaly(p, ANOMALY_TORCH_STORAGE_SIZE,
		    m->data, t.len, facts, 3)) < 0)
			return r;
	}
	if (m->method == DEFLATED && m->data != 0)
		return deflated_storage(p, m, &t);
	return format_tensor(p, &t);
}

/*
 * Read data.pkl for its storages alone: what it calls is told when it comes
 * as a member.
 */
static int
collect(struct parse *p, const struct zip_member *m,
    struct torch_storages *all)
{
	static const struct events silent = {0};
	const struct pickle_hooks hooks = {torch_storage_note, all};
	struct bytesrc *src;
	struct parse q = *p;
	int r;

	if (m->method != 0 || m->data == 0)
		return 1;	/* torch stores it; another reader's archive */
	if ((src = bytesrc_range(p->src, m->data, m->packed, p->e)) == NULL)
		return ERR_NOMEM;
	q.src = src;
	q.size = m->packed;
	q.ev = &silent;
	all->p = &q;
	r = pickle_parse_with(&q, &hooks);
	all->p = p;
	bytesrc_free(src);
	return r;
}

static int
storage_missing(struct parse *p, const struct torch_storage *s)
{
	const struct fact facts[] = {FACT_TEXT("storage", s->key,
	    s->key_len)};

	return format_anomaly(p, ANOMALY_TORCH_STORAGE_MISSING, 0, 0, facts,
	    1);
}

/* Each storage has a member, each member a storage. */
static int
check_storages(struct parse *p, const struct zip_dir *d, size_t root,
    struct torch_storages *all)
{
	struct torch_storage *s;
	int r;

	if ((r = torch_storages_sort(all)) < 0)
		return r;
	for (size_t i = 0; i < d->count && r >= 0; i++) {
		const struct zip_member *m = &d->m[i];

		if (!is_storage(m, root))
			continue;
		s = torch_storages_find(all, m->name + root + 5,
		    m->name_len - root - 5);
		if (s == NULL) {
			r = zip_fact_name(p, ANOMALY_TORCH_STORAGE_UNUSED,
			    m->data, m);
		} else if (!s->there) {
			s->there = true;
			r = check_storage(p, m, s);
		}
	}
	for (size_t i = 0; i < all->n && r >= 0; i++)
		if (!all->v[i]->there)
			r = storage_missing(p, all->v[i]);
	return r;
}

static int
check_mains(struct parse *p, const struct zip_dir *d)
{
	unsigned mains = 0;
	struct fact facts[1];
	size_t root;

	for (size_t i = 0; i < d->count; i++)
		mains += is_main(&d->m[i], &root);
	facts[0] = (struct fact)FACT_NUM("members", mains);
	return mains < 2 ? 0 : format_anomaly(p,
	    ANOMALY_TORCH_MULTIPLE_PICKLES, d->cd_off, 0, facts, 1);
}

int
torch_members(struct parse *p, const struct zip_dir *d)
{
	struct torch_storages all = {.p = p};
	const struct zip_member *first;
	size_t root = 0;
	int r;

	if ((r = format_name(p, "torch_zip")) < 0 ||
	    (first = find_main(d, &root)) == NULL ||
	    (r = check_mains(p, d)) < 0)
		return r;
	if ((r = collect(p, first, &all)) < 0)
		return r;
	/* A TorchScript archive's constants may hold the other storages. */
	if (r == 0 && all.first != NULL &&
	    (r = check_storages(p, d, root, &all)) < 0)
		return r;
	for (size_t i = 0; i < d->count; i++) {
		const struct zip_member *m = &d->m[i];

		if ((r = zip_emit(p, d, m, is_storage(m, root) ?
		    MEMBER_STORAGE : MEMBER_PLAIN, is_pickle(m) ?
		    "torch_pickle" : NULL)) < 0)
			return r;
	}
	return 0;
}

/* <root>/.data/<key>.storage */
static bool
is_package_storage(const struct zip_member *m, size_t root)
{
	static const char tail[] = ".storage";
	const size_t n = sizeof(tail) - 1;

	return m->name_len > root + 6 + n &&
	    memcmp(m->name + root, ".data/", 6) == 0 &&
	    memcmp(m->name + m->name_len - n, tail, n) == 0;
}

/*
 * torch.package: any member may be a pickle whose persistent ids are
 * storages; which storage is whose is not compared.
 */
int
torch_package_members(struct parse *p, const struct zip_dir *d, size_t root)
{
	int r = format_name(p, "torch_package");

	for (size_t i = 0; i < d->count && r >= 0; i++) {
		const struct zip_member *m = &d->m[i];

		r = zip_emit(p, d, m, is_package_storage(m, root) ?
		    MEMBER_STORAGE : MEMBER_PLAIN, is_pickle(m) ?
		    "torch_pickle" : NULL);
	}
	return r;
}

/* A pickle of the archive: persistent ids have a meaning here. */
static unsigned
no_bid(struct cursor head, uint64_t size)
{
	(void)head;
	(void)size;
	return 0;
}

static int
torch_pickle_parse(struct parse *p)
{
	static const struct pickle_hooks accept = {NULL, NULL};

	return pickle_parse_with(p, &accept);
}

const struct format format_torch_pickle = {
    .name = "torch_pickle",
    .kind = FORMAT_MODEL,
    .bid = no_bid,
    .parse = torch_pickle_parse,
};
