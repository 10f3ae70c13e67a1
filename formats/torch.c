#include <string.h>

#include "formats/torch.h"
#include "formats/torch_member.h"
#include "formats/torch_storage.h"
#include "formats/torch_views.h"
#include "formats/zip.h"

/*
 * The root folder is what stands before data.pkl; torch compares names
 * without case.
 */
#define MAIN "data.pkl"

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

/* Where an archive has its storages: <root>/<folder><key><tail>. */
struct place {
	const char *folder, *tail;
};
static const struct place data_place = {"data/", ""};
static const struct place constant_place = {"constants/", ""};
static const struct place package_place = {".data/", ".storage"};

static bool
is_at(const struct zip_member *m, size_t root, const struct place *at,
    const char **key, size_t *n)
{
	size_t folder = strlen(at->folder), tail = strlen(at->tail);

	if (m->name_len <= root + folder + tail ||
	    !folds_to(m->name + root, folder, at->folder) ||
	    !folds_to(m->name + m->name_len - tail, tail, at->tail))
		return false;
	*key = m->name + root + folder;
	*n = m->name_len - root - folder - tail;
	return memchr(*key, '/', *n) == NULL;
}

static bool
is_storage(const struct zip_member *m, size_t root)
{
	const char *key;
	size_t n;

	return is_at(m, root, &data_place, &key, &n);
}

static bool
is_pickle(const struct zip_member *m)
{
	return (m->name_len > 4 && folds_to(m->name + m->name_len - 4, 4,
	    ".pkl")) || (m->name_len > 10 &&
	    folds_to(m->name + m->name_len - 10, 10, ".debug_pkl"));
}

static int
check_storage(struct parse *p, const struct zip_member *m,
    const struct torch_storage *s, struct torch_views *w)
{
	struct fact facts[3];

	facts[0] = (struct fact)FACT_TEXT("storage", s->key, s->key_len);
	if (s->bytes != UINT64_MAX && s->bytes != m->size) {
		int r;

		facts[1] = (struct fact)FACT_NUM("stated", s->bytes);
		facts[2] = (struct fact)FACT_NUM("present", m->size);
		if ((r = format_anomaly(p, ANOMALY_TORCH_STORAGE_SIZE,
		    m->data, torch_member_stored(m), facts, 3)) < 0)
			return r;
	}
	return torch_member_tell(p, m, s, true, w);
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
    struct torch_storages *all, struct torch_views *w)
{
	struct torch_storage *s;
	int r;

	if ((r = torch_storages_sort(all)) < 0 ||
	    (r = torch_views_sort(w)) < 0)
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
			r = check_storage(p, m, s, w);
		}
	}
	for (size_t i = 0; i < all->n && r >= 0; i++)
		if (!all->v[i]->there)
			r = storage_missing(p, all->v[i]);
	return r < 0 ? r : torch_views_rest(w);
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

/* The views alone of the storages that are members at ${at}. */
static int
tell_views(struct parse *p, const struct zip_dir *d, size_t root,
    const struct place *at, struct torch_views *w)
{
	struct torch_storage *s;
	const char *key;
	size_t n;
	int r;

	if ((r = torch_storages_sort(w->all)) < 0 ||
	    (r = torch_views_sort(w)) < 0)
		return r;
	for (size_t i = 0; i < d->count && r >= 0; i++) {
		if (!is_at(&d->m[i], root, at, &key, &n) ||
		    (s = torch_storages_find(w->all, key, n)) == NULL ||
		    s->there)
			continue;
		s->there = true;
		r = torch_member_tell(p, &d->m[i], s, false, w);
	}
	return r < 0 ? r : torch_views_rest(w);
}

/*
 * The constants of a TorchScript archive: a pickle and storages of their own
 * beside the others, told by name alone.
 */
static int
constants(struct parse *p, const struct zip_dir *d, size_t root,
    uint64_t base)
{
	static const char name[] = "constants.pkl";
	struct torch_storages all = {.p = p};
	struct torch_views w;
	int r = 0;

	torch_views_init(&w, p, &all, base);
	for (size_t i = 0; i < d->count && r == 0; i++)
		if (d->m[i].name_len == root + strlen(name) &&
		    folds_to(d->m[i].name + root, strlen(name), name)) {
			r = torch_member_collect(p, &d->m[i], &all, &w);
			break;
		}
	if (r != 0 || w.root == NULL)
		return r < 0 ? r : 0;
	if ((r = torch_views_take(&w, w.root, "constants", 9)) < 0)
		return r;
	return tell_views(p, d, root, &constant_place, &w);
}

int
torch_members(struct parse *p, const struct zip_dir *d)
{
	struct torch_storages all = {.p = p};
	const struct zip_member *first;
	struct torch_views w;
	size_t root = 0;
	int r;

	torch_views_init(&w, p, &all, 0);
	if ((r = format_name(p, "torch_zip")) < 0 ||
	    (first = find_main(d, &root)) == NULL ||
	    (r = check_mains(p, d)) < 0)
		return r;
	if ((r = torch_member_collect(p, first, &all, &w)) < 0)
		return r;
	/* A TorchScript archive's constants may hold the other storages. */
	if (r == 0 && ((r = torch_views_take(&w, w.root, "", 0)) < 0 ||
	    (all.first != NULL &&
	    (r = check_storages(p, d, root, &all, &w)) < 0)))
		return r;
	if (p->ev->view != NULL && (r = constants(p, d, root, all.n)) < 0)
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

/*
 * The pickles of a package share its storages.  A tensor's name begins with
 * its pickle's, without the root and ".pkl": model/net.pkl has "model/net.w".
 */
static int
package_views(struct parse *p, const struct zip_dir *d, size_t root)
{
	struct torch_storages all = {.p = p};
	struct torch_views w;
	int r = 0;

	all.numbered = true;
	torch_views_init(&w, p, &all, 0);
	for (size_t i = 0; i < d->count && r >= 0; i++) {
		const struct zip_member *m = &d->m[i];

		if (!is_pickle(m) || m->name_len <= root + 4)
			continue;
		if ((r = torch_member_collect(p, m, &all, &w)) == 0)
			r = torch_views_take(&w, w.root, m->name + root,
			    m->name_len - root - 4);
	}
	return r < 0 ? r : tell_views(p, d, root, &package_place, &w);
}

/*
 * torch.package: any member may be a pickle whose persistent ids are
 * storages; which storage is whose is not compared.
 */
int
torch_package_members(struct parse *p, const struct zip_dir *d, size_t root)
{
	const char *key;
	size_t n;
	int r = format_name(p, "torch_package");

	if (r >= 0 && p->ev->view != NULL)
		r = package_views(p, d, root);
	for (size_t i = 0; i < d->count && r >= 0; i++) {
		const struct zip_member *m = &d->m[i];

		r = zip_emit(p, d, m, is_at(m, root, &package_place, &key,
		    &n) ?
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
	static const struct pickle_hooks accept = {.ctx = NULL};

	return pickle_parse_with(p, &accept);
}

const struct format format_torch_pickle = {
    .name = "torch_pickle",
    .kind = FORMAT_MODEL,
    .bid = no_bid,
    .parse = torch_pickle_parse,
};
