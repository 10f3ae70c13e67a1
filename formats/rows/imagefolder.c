#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

/*
 * A folder of images, as torchvision's ImageFolder reads it: root/class/file,
 * at any depth below the class.  A record is a file, in path order; "label"
 * is the place of its class among the sorted folders, so that renaming one
 * shifts the labels of others: it is stated with each record.  Where all
 * files stand in folders named as splits are (train, test, ...), the class is
 * the folder below, and labels are counted within the split.
 *
 * Fields: path, split, class, label, size, and image, which is the file's
 * bytes and not part of its JSON.  Files that are no images by their name are
 * told, and no records.
 */
struct class {
	const char *split, *name;
	size_t split_len, name_len;
};

struct imagefolder {
	const struct rows_params *p;
	struct class *class;	/* sorted, each once */
	size_t classes;
	bool splits;
	size_t at;		/* the next file */
	size_t now;		/* the current one */
	struct class of;	/* of the current one */
	struct buf image;
};

static bool
is_image(const struct rows_file *f)
{
	static const char *const ends[] = {".jpg", ".jpeg", ".png", ".ppm",
	    ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (rows_named(f, ends[i]))
			return true;
	return false;
}

static unsigned
imagefolder_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	size_t images = 0;

	(void)head;
	(void)n;
	for (size_t i = 0; i < p->files; i++)
		images += is_image(&p->file[i]);
	/* Images and what describes them: two thirds and more. */
	return images == 0 || images * 3 < p->files * 2 ? 0 : 36;
}

static bool
is_split(const char *p, size_t n)
{
	static const char *const names[] = {"train", "training", "test",
	    "testing", "val", "valid", "validation", "dev"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n && memcmp(names[i], p, n) == 0)
			return true;
	return false;
}

/* The first component of p[0..n) that is a folder; 0: there is none. */
static size_t
folder(const char *p, size_t n)
{
	const char *slash = n > 0 ? memchr(p, '/', n) : NULL;

	return slash == NULL ? 0 : (size_t)(slash - p);
}

static void
class_of(const struct imagefolder *s, const struct rows_file *f,
    struct class *ret)
{
	const char *p = f->name;
	size_t n = f->name_len;

	memset(ret, 0, sizeof(*ret));
	ret->split = p;
	if (s->splits) {
		ret->split_len = folder(p, n);
		p += ret->split_len + 1;
		n -= ret->split_len + 1;
	}
	ret->name = p;
	ret->name_len = folder(p, n);
}

static int
compare_text(const char *a, size_t na, const char *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);

	return c != 0 ? c : (na > nb) - (na < nb);
}

static int
compare(const void *pa, const void *pb)
{
	const struct class *a = pa, *b = pb;
	int c = compare_text(a->split, a->split_len, b->split, b->split_len);

	return c != 0 ? c :
	    compare_text(a->name, a->name_len, b->name, b->name_len);
}

static void
find_classes(struct imagefolder *s)
{
	const struct rows_params *p = s->p;
	size_t n = 0, images = 0, keep = 0;

	for (size_t i = 0; i < p->files; i++) {
		const struct rows_file *f = &p->file[i];

		if (!is_image(f))
			continue;
		images++;
		n += is_split(f->name, folder(f->name, f->name_len));
	}
	s->splits = images > 0 && n == images;
	for (size_t i = 0; i < p->files; i++) {
		if (!is_image(&p->file[i]))
			continue;
		class_of(s, &p->file[i], &s->class[s->classes]);
		s->classes += s->class[s->classes].name_len > 0;
	}
	qsort(s->class, s->classes, sizeof(s->class[0]), compare);
	for (size_t i = 0; i < s->classes; i++)
		if (keep == 0 || compare(&s->class[keep - 1],
		    &s->class[i]) != 0)
			s->class[keep++] = s->class[i];
	s->classes = keep;
}

static int
imagefolder_open(const struct rows_params *p, void **self, struct err *e)
{
	struct imagefolder *s;

	if ((s = arena_alloc(p->arena, sizeof(*s))) == NULL ||
	    (s->class = arena_array(p->arena, p->files + 1,
	    sizeof(s->class[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	s->p = p;
	find_classes(s);
	buf_init(&s->image, LIMIT_INFLATE);
	*self = s;
	return 0;
}

static void
imagefolder_close(void *self)
{
	buf_release(&((struct imagefolder *)self)->image);
}

static int
imagefolder_next(void *self, struct rows_record *ret, struct err *e)
{
	struct imagefolder *s = self;

	(void)e;
	while (s->at < s->p->files && !is_image(&s->p->file[s->at])) {
		rows_tell(s->p, (uint32_t)s->at, 0, "a file is no image");
		s->at++;
	}
	if (s->at == s->p->files)
		return 0;
	s->now = s->at++;
	class_of(s, &s->p->file[s->now], &s->of);
	ret->file = (uint32_t)s->now;
	ret->len = bytesrc_size(s->p->file[s->now].src);
	ret->verbatim = true;
	return 1;
}

/* The class's place in its split. */
static bool
label(const struct imagefolder *s, int64_t *ret)
{
	const struct class *hit;
	size_t i;

	if (s->of.name_len == 0)
		return false;
	hit = bsearch(&s->of, s->class, s->classes, sizeof(s->class[0]),
	    compare);
	if (hit == NULL)
		return false;
	*ret = 0;
	for (i = (size_t)(hit - s->class); i > 0 &&
	    compare_text(s->class[i - 1].split, s->class[i - 1].split_len,
	    hit->split, hit->split_len) == 0; i--)
		++*ret;
	return true;
}

static int
image(struct imagefolder *s, struct rows_value *ret, struct err *e)
{
	const struct bytesrc *src = s->p->file[s->now].src;
	int r;

	buf_clear(&s->image);
	if ((r = rows_load(src, 0, bytesrc_size(src), &s->image, e)) < 0)
		return r;
	if ((r = buf_failed(&s->image)) < 0)
		return err_set(e, (enum err_code)r, "an image is too large");
	ret->type = ROWS_BYTES;
	ret->p = s->image.p;
	ret->n = s->image.len;
	return 0;
}

static void
set_text(struct rows_value *v, const char *p, size_t n)
{
	if (n == 0)
		return;
	v->type = ROWS_TEXT;
	v->p = (const uint8_t *)p;
	v->n = n;
}

static int
imagefolder_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct imagefolder *s = self;
	const struct rows_file *f = &s->p->file[s->now];

	if (strcmp(path, "path") == 0)
		set_text(ret, f->name, f->name_len);
	else if (strcmp(path, "split") == 0)
		set_text(ret, s->of.split, s->of.split_len);
	else if (strcmp(path, "class") == 0)
		set_text(ret, s->of.name, s->of.name_len);
	else if (strcmp(path, "label") == 0)
		ret->type = label(s, &ret->i) ? ROWS_INT : ROWS_ABSENT;
	else if (strcmp(path, "image") == 0)
		return image(s, ret, e);
	if (strcmp(path, "size") == 0) {
		ret->type = ROWS_INT;
		ret->i = (int64_t)bytesrc_size(f->src);
	}
	return 0;
}

static int
imagefolder_json(void *self, struct buf *b, struct err *e)
{
	static const char *const keys[] = {"path", "split", "class", "label",
	    "size"};
	struct rows_value v;
	bool comma = false;
	int r;

	buf_putc(b, '{');
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		memset(&v, 0, sizeof(v));
		if ((r = imagefolder_field(self, keys[i], &v, e)) < 0)
			return r;
		if (v.type == ROWS_ABSENT)
			continue;
		buf_printf(b, "%s\"%s\":", comma ? "," : "", keys[i]);
		value_json(b, &v);
		comma = true;
	}
	buf_putc(b, '}');
	return 0;
}

static int
imagefolder_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	const struct imagefolder *s = self;

	(void)e;
	each(ctx, "path", "string");
	if (s->splits)
		each(ctx, "split", "string");
	each(ctx, "class", "string");
	each(ctx, "label", "number");
	each(ctx, "size", "number");
	each(ctx, "image", "bytes");
	return 0;
}

const struct rows_format rows_imagefolder = {
    .id = "imagefolder",
    .flags = ROWS_WHOLE,
    .bid = imagefolder_bid,
    .open = imagefolder_open,
    .next = imagefolder_next,
    .field = imagefolder_field,
    .json = imagefolder_json,
    .fields = imagefolder_fields,
    .close = imagefolder_close,
};
