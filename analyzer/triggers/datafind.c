#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "analyzer/diff/sides.h"
#include "analyzer/triggers/datafind.h"
#include "base/arena.h"
#include "formats/rows/rows.h"

enum kind { ALONE, IMAGES, SHARDS, CIFAR, IDX, ARRAYS, INDEXED };

/* A file and what it belongs to: files of one kind and key are a set. */
struct place {
	const struct rows_file *file;
	size_t at;		/* in the list */
	enum kind kind;
	size_t folder;		/* bytes of the name with the last slash */
	/* The key is name[0..head) and name[tail..]. */
	size_t head, tail;
	bool label;		/* ARRAYS: labels by its name */
};

static bool
ends(const char *name, const char *tail)
{
	size_t n = strlen(name), m = strlen(tail);

	return n > m && strcasecmp(name + n - m, tail) == 0;
}

static bool
ends_any(const char *name, const char *const *tails, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ends(name, tails[i]))
			return true;
	return false;
}

static bool
is_image(const char *name)
{
	static const char *const tails[] = {".png", ".jpg", ".jpeg", ".bmp",
	    ".ppm", ".pgm", ".webp", ".gif", ".tif", ".tiff"};

	return ends_any(name, tails, sizeof(tails) / sizeof(tails[0]));
}

/* "data_batch_1.bin", "train.bin" and their like. */
static bool
is_cifar(const char *base)
{
	return ends(base, ".bin") && (strncmp(base, "data_batch", 10) == 0);
}

/* Words that stand for what an array holds; longer ones first. */
static const struct {
	const char *word;
	bool label;
} words[] = {{"images", false}, {"labels", true}, {"targets", true},
    {"target", true}, {"image", false}, {"label", true}, {"pixels", false},
    {"data", false}, {"imgs", false}, {"img", false}, {"classes", true},
    {"y", true}, {"x", false}};

static bool
is_border(char c)
{
	return c == '_' || c == '-' || c == '.' || c == '\0';
}

/* Without its word "train_images.npy" and "train_labels.npy" are alike. */
static bool
take_word(struct place *p)
{
	const char *name = p->file->name, *base = name + p->folder;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		for (const char *s = base; *s != '\0'; s++) {
			if (strncasecmp(s, words[i].word, n) != 0 ||
			    (s > base && !is_border(s[-1])) ||
			    !is_border(s[n]))
				continue;
			p->head = (size_t)(s - name);
			p->tail = p->head + n;
			p->label = words[i].label;
			return true;
		}
	}
	return false;
}

static bool
is_idx(const char *name)
{
	static const char *const tails[] = {"-ubyte", "-ubyte.gz", ".idx",
	    ".idx.gz", "-ubyte.xz"};

	return ends_any(name, tails, sizeof(tails) / sizeof(tails[0]));
}

static void
look(struct place *p)
{
	const char *name = p->file->name, *slash = strrchr(name, '/');
	struct sides_shard shard;
	size_t n = strlen(name);

	p->folder = slash != NULL ? (size_t)(slash - name) + 1 : 0;
	p->head = p->tail = n;
	if (is_image(name)) {
		p->kind = IMAGES;
		p->head = 0;
	} else if (sides_shard(name, &shard)) {
		p->kind = SHARDS;
		p->head = shard.stem;
		p->tail = shard.tail;
	} else if (is_cifar(name + p->folder)) {
		p->kind = CIFAR;
		p->head = p->folder;
	} else if (is_idx(name)) {
		p->kind = IDX;
		p->head = p->folder + strcspn(name + p->folder, "-.");
		p->tail = n;
	} else if (ends(name, ".npy") && take_word(p)) {
		p->kind = ARRAYS;
	} else if (strcmp(name + p->folder, "index.json") == 0 ||
	    ends(name, ".mds") || ends(name, ".mds.zstd")) {
		p->kind = INDEXED;
		p->head = p->folder;
	}
}

static int
by_key(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	size_t n = x->head < y->head ? x->head : y->head;
	int r;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if ((r = memcmp(x->file->name, y->file->name, n)) != 0)
		return r;
	if (x->head != y->head)
		return x->head < y->head ? -1 : 1;
	if ((r = strcmp(x->file->name + x->tail, y->file->name + y->tail)) !=
	    0)
		return r;
	return (x->at > y->at) - (x->at < y->at);
}

static bool
together(const struct place *x, const struct place *y)
{
	return x->kind == y->kind && x->kind != ALONE &&
	    x->head == y->head && memcmp(x->file->name, y->file->name,
	    x->head) == 0 && strcmp(x->file->name + x->tail,
	    y->file->name + y->tail) == 0;
}

static int
by_first(const void *a, const void *b)
{
	const struct datafind_set *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* An array and its labels, which may come in either order. */
static bool
pair(const struct place *p, size_t n, struct rows_file *file,
    struct datafind_set *s)
{
	if (p[0].kind != ARRAYS || n != 2 || p[0].label == p[1].label)
		return false;
	file[0] = *p[p[0].label ? 1 : 0].file;
	file[1] = *p[p[0].label ? 0 : 1].file;
	*s = (struct datafind_set){.file = file, .files = 1,
	    .labels = &file[1], .format = "npy", .name = file[0].name,
	    .name_len = file[0].name_len};
	return true;
}

/* The folder that all of them stand below: classes are the folders in it. */
static size_t
strip(struct rows_file *file, size_t n)
{
	const char *a = file[0].name, *b = file[n - 1].name;
	size_t same = 0;

	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++)
		if (a[i] == '/')
			same = i + 1;
	for (size_t i = 0; i < n; i++) {
		file[i].name += same;
		file[i].name_len -= same;
	}
	return same;
}

static size_t
make(const struct place *p, size_t n, struct rows_file *file,
    struct datafind_set *s)
{
	if (pair(p, n, file, s))
		return 1;
	for (size_t i = 0; i < n; i++)
		file[i] = *p[i].file;
	if (p[0].kind != ARRAYS) {
		bool images = p[0].kind == IMAGES;

		*s = (struct datafind_set){.file = file, .files = n,
		    .name = p[0].file->name,
		    .format = images ? "imagefolder" : NULL};
		s->name_len = images ? strip(file, n) : n > 1 ?
		    p[0].folder : strlen(s->name);
		return 1;
	}
	/* Arrays that are no pair stand alone. */
	for (size_t i = 0; i < n; i++)
		s[i] = (struct datafind_set){.file = &file[i], .files = 1,
		    .name = file[i].name, .name_len = file[i].name_len};
	return n;
}

struct datafind_set *
datafind(const struct rows_file *file, size_t n, struct arena *a,
    size_t *sets)
{
	struct place *p = arena_array(a, n + 1, sizeof(*p));
	struct rows_file *own = arena_array(a, n + 1, sizeof(*own));
	struct datafind_set *s = arena_array(a, n + 1, sizeof(*s));
	size_t end;

	*sets = 0;
	if (p == NULL || own == NULL || s == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		p[i] = (struct place){.file = &file[i], .at = i};
		look(&p[i]);
	}
	if (n > 0)
		qsort(p, n, sizeof(*p), by_key);
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && together(&p[i], &p[end]); end++)
			;
		*sets += make(p + i, end - i, own + i, s + *sets);
	}
	if (*sets > 0)
		qsort(s, *sets, sizeof(*s), by_first);
	return s;
}
