#include <math.h>
#include <string.h>

#include "analyzer/apilog/apilog_record.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/base64.h"
#include "formats/logs/jdoc.h"
#include "formats/logs/logs.h"
#include "formats/pixels.h"

#define SIDE_MOST LIMIT_PIXELS_SIDE
#define PIXELS_MOST (4 * (uint64_t)MIB)	/* of one image of a log */

struct input {
	struct apilog_record *x;
	const struct logs_record *r;
	struct traffic_record *ret;
	const uint8_t *p;
	size_t n;
	struct apilog_shape shape;
	bool shaped;		/* ${shape} is an image's */
	struct err *e;
};

/* The numbers of "[1, 28, 28]", "28x28"; 0: one is 0 or more than a side. */
static unsigned
sides(const uint8_t *p, size_t n, uint64_t v[8])
{
	unsigned k = 0;

	for (size_t i = 0; i < n;) {
		if (p[i] < '0' || p[i] > '9') {
			i++;
			continue;
		}
		if (k == 8)
			return 0;
		for (v[k] = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++)
			if ((v[k] = 10 * v[k] + (uint64_t)(p[i] - '0')) >
			    SIDE_MOST)
				return 0;
		if (v[k++] == 0)
			return 0;
	}
	return k;
}

static bool
is_channels(uint64_t v)
{
	return v == 1 || v == 3 || v == 4;
}

bool
apilog_input_shape(const void *text, size_t n, struct apilog_shape *ret)
{
	uint64_t all[8], *v = all;
	unsigned k = sides(text, n, all);

	while (k > 3 && *v == 1) {
		v++;
		k--;
	}
	if (k == 3 && *v == 1 && (!is_channels(v[2]) || v[2] == 1)) {
		v++;
		k--;
	}
	*ret = (struct apilog_shape){.channels = 1};
	if (k == 3) {
		ret->planes = !is_channels(v[2]);
		if (ret->planes && !is_channels(v[0]))
			return false;
		ret->channels = (uint32_t)(ret->planes ? v[0] : v[2]);
		v += ret->planes ? 1 : 0;
	} else if (k != 2) {
		return false;
	}
	ret->height = (uint32_t)v[0];
	ret->width = (uint32_t)v[1];
	/* A row of numbers is no picture. */
	return ret->height > 1 && ret->width > 1 && (uint64_t)ret->height *
	    ret->width * ret->channels <= PIXELS_MOST;
}

static size_t
places(const struct apilog_shape *s)
{
	return (size_t)s->height * s->width * s->channels;
}

static void
set_image(struct input *in, const uint8_t *pixels, uint32_t height,
    uint32_t width, uint32_t channels)
{
	in->ret->kind = TRAFFIC_IMAGE;
	in->ret->pixels = pixels;
	in->ret->height = height;
	in->ret->width = width;
	in->ret->channels = channels;
}

/* Bytes of the shape, channel by channel or pixel by pixel. */
static int
set_shaped(struct input *in, const uint8_t *p)
{
	const struct apilog_shape *s = &in->shape;
	const size_t area = (size_t)s->height * s->width;
	uint8_t *out;

	if (s->planes && s->channels > 1) {
		if ((out = arena_alloc(in->x->arena, places(s))) == NULL)
			return err_set(in->e, ERR_NOMEM, "out of memory");
		for (size_t i = 0; i < area; i++)
			for (size_t c = 0; c < s->channels; c++)
				out[i * s->channels + c] = p[c * area + i];
		p = out;
	}
	set_image(in, p, s->height, s->width, s->channels);
	return 0;
}

/* Numbers as grey levels: of [0, 1], of [0, 255]; false: of neither. */
static bool
levels(const double *v, size_t n, uint8_t *out)
{
	double most = 0, scale;

	for (size_t i = 0; i < n; i++) {
		if (!(v[i] >= 0 && v[i] <= 255))
			return false;
		most = v[i] > most ? v[i] : most;
	}
	scale = most <= 1 ? 255 : 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(scale * v[i] + 0.5);
	return true;
}

/* x->vector has them. */
static int
set_numbers(struct input *in, size_t n)
{
	uint8_t *out;

	if (in->shaped && n == places(&in->shape)) {
		if ((out = arena_alloc(in->x->arena, n)) == NULL)
			return err_set(in->e, ERR_NOMEM, "out of memory");
		if (levels(in->x->vector, n, out))
			return set_shaped(in, out);
	}
	in->ret->kind = TRAFFIC_VECTOR;
	in->ret->vector = in->x->vector;
	in->ret->nvector = n;
	return 0;
}

static bool
room(struct input *in, size_t n)
{
	struct apilog_record *x = in->x;

	if (n <= x->vector_cap)
		return true;
	x->vector = arena_array(x->arena, n, sizeof(*x->vector));
	x->vector_cap = x->vector != NULL ? n : 0;
	return x->vector != NULL;
}

static bool
begins_number(uint8_t c)
{
	return c == '-' || c == '+' || c == '.' || (c >= '0' && c <= '9');
}

static bool
separates(uint8_t c)
{
	return c == ',' || c == '[' || c == ']' || c == ' ' || c == '\n' ||
	    c == '\r' || c == '\t' || c == ';';
}

/* Nothing but numbers, and what stands between them: 1, 0 or negative. */
static int
numbers(struct input *in)
{
	size_t most = 0, n = 0, i = 0, k;

	for (size_t j = 0; j < in->n; j++)
		most += begins_number(in->p[j]) &&
		    (j == 0 || separates(in->p[j - 1]));
	if (most == 0 || most > LIMIT_LOG_NODES)
		return 0;
	if (!room(in, most))
		return err_set(in->e, ERR_NOMEM, "out of memory");
	for (; i < in->n; i = k) {
		for (k = i; k < in->n && !separates(in->p[k]); k++)
			continue;
		if (k == i) {
			k++;
			continue;
		}
		/* What was counted above, and nothing else, has its place. */
		if (n == most || !begins_number(in->p[i]) ||
		    !jdoc_decimal(in->p + i, k - i, &in->x->vector[n]) ||
		    !isfinite(in->x->vector[n]))
			return 0;
		n++;
	}
	return set_numbers(in, n) < 0 ? ERR_NOMEM : 1;
}

/* Floats of the stated shape, as they lie in memory. */
static int
floats(struct input *in, const uint8_t *p)
{
	const size_t n = places(&in->shape);
	float f;

	if (!room(in, n))
		return err_set(in->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const uint32_t u = (uint32_t)p[4 * i] |
		    (uint32_t)p[4 * i + 1] << 8 |
		    (uint32_t)p[4 * i + 2] << 16 |
		    (uint32_t)p[4 * i + 3] << 24;

		memcpy(&f, &u, sizeof(f));
		if (!isfinite(f))
			return 0;
		in->x->vector[i] = (double)f;
	}
	return set_numbers(in, n) < 0 ? ERR_NOMEM : 1;
}

/*
 * A picture that is too large to be kept is made smaller: each of its pixels
 * is the mean of a square of the large one's.
 */
static int
set_smaller(struct input *in, const struct pixels *img)
{
	const size_t c = img->channels, row = img->width * c;
	size_t k = 2, h, w;
	uint8_t *out;

	while ((uint64_t)(img->height / k) * (img->width / k) * c >
	    PIXELS_MOST)
		k++;
	h = img->height / k;
	w = img->width / k;
	if (h == 0 || w == 0) {
		in->x->undecoded++;
		return 0;
	}
	if ((out = arena_alloc(in->x->arena, h * w * c)) == NULL)
		return err_set(in->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < h * w * c; i++) {
		const uint8_t *p = img->p + i / (w * c) * k * row +
		    i / c % w * k * c + i % c;
		uint64_t sum = 0;

		for (size_t y = 0; y < k; y++)
			for (size_t x = 0; x < k; x++)
				sum += p[y * row + x * c];
		out[i] = (uint8_t)(sum / (k * k));
	}
	in->x->smaller++;
	set_image(in, out, (uint32_t)h, (uint32_t)w, (uint32_t)c);
	return 0;
}

/* Bytes that are a picture, by themselves or by their shape. */
static int
picture(struct input *in, const uint8_t *p, size_t n)
{
	struct pixels img;
	const char *why;
	int r;

	if (in->shaped && n == places(&in->shape))
		return set_shaped(in, p) < 0 ? ERR_NOMEM : 1;
	if (in->shaped && n == 4 * places(&in->shape) &&
	    (r = floats(in, p)) != 0)
		return r;
	if (!pixels_bid(p, n))
		return 0;
	if ((r = pixels_decode(p, n, &in->x->space, &img, &why, in->e)) < 0)
		return r;
	if (r > 0)	/* nothing is known of it, and it is no text */
		in->x->undecoded++;
	else if ((uint64_t)img.width * img.height * img.channels <=
	    PIXELS_MOST)
		set_image(in, img.p, img.height, img.width, img.channels);
	else if ((r = set_smaller(in, &img)) < 0)
		return r;
	return 1;
}

static bool
is_base64(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (base64_digit(p[i]) < 0 && p[i] != '=' && p[i] != '\n' &&
		    p[i] != '\r')
			return false;
	return n >= 8;
}

/* How base64 of each format that pixels.h reads begins. */
static bool
begins_picture(const uint8_t *p, size_t n)
{
	static const char *const heads[] = {"iVBORw0KGgo", "/9j/", "Qk",
	    "UDU", "UDY"};

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
		if (n > 64 && memcmp(p, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}

static int
base64(struct input *in)
{
	static const char url[] = "data:image/";
	const uint8_t *p = in->p, *comma, *out;
	size_t n = in->n, len;
	bool named = false;
	int r;

	if (n > sizeof(url) && memcmp(p, url, sizeof(url) - 1) == 0 &&
	    (comma = memchr(p, ',', n < 128 ? n : 128)) != NULL) {
		n -= (size_t)(comma - p) + 1;
		p = comma + 1;
		named = true;
	}
	if ((!in->shaped && !named && !begins_picture(p, n)) ||
	    !is_base64(p, n < 64 ? n : 64))
		return 0;
	r = base64_decode(in->x->arena, p, n, BASE64_MILD, &out, &len);
	if (r == ERR_NOMEM)
		return err_set(in->e, ERR_NOMEM, "out of memory");
	return r < 0 ? 0 : picture(in, out, len);
}

/* What the user wrote last, of lines "role: text". */
static void
last_message(struct input *in)
{
	static const char *const ends[] = {"\nassistant: ", "\nsystem: ",
	    "\ntool: "};
	static const char user[] = "user: ";
	const size_t n = sizeof(user) - 1;
	const uint8_t *hit;

	for (size_t i = in->n; i-- > 0;) {
		if (in->n - i < n || in->p[i] != 'u' || (i > 0 &&
		    in->p[i - 1] != '\n') || memcmp(in->p + i, user, n) != 0)
			continue;
		in->p += i + n;
		in->n -= i + n;
		break;
	}
	for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++)
		if ((hit = memmem(in->p, in->n, ends[k],
		    strlen(ends[k]))) != NULL)
			in->n = (size_t)(hit - in->p);
}

/* ["text"]: that text, where it has no escapes. */
static void
only_text(struct input *in)
{
	const uint8_t *p = in->p;
	size_t n = in->n;

	while (n > 1 && *p == '[' && p[n - 1] == ']') {
		p++;
		n -= 2;
		while (n > 0 && *p == ' ') {
			p++;
			n--;
		}
	}
	if (p == in->p || n < 2 || *p != '"' || p[n - 1] != '"' ||
	    memchr(p + 1, '"', n - 2) != NULL || memchr(p, '\\', n) != NULL)
		return;
	in->p = p + 1;
	in->n = n - 2;
}

static bool
is_type(const struct logs_record *r, const char *type)
{
	const struct field *f = &r->v[LOGS_INPUT_TYPE];

	return f->set && f->n == strlen(type) &&
	    memcmp(f->p, type, f->n) == 0;
}

/* "[masked sha256:...]": what an earlier reader left of it. */
static bool
masked(struct input *in)
{
	static const char head[] = "[masked";
	static const char sum[] = " sha256:";
	const size_t n = sizeof(head) - 1, m = sizeof(sum) - 1;

	if (in->n < n + 1 || in->n > n + m + 65 ||
	    memcmp(in->p, head, n) != 0 || in->p[in->n - 1] != ']')
		return false;
	if (in->n == n + m + 65 && memcmp(in->p + n, sum, m) == 0)
		in->ret->has_digest = text_unhex(in->ret->digest,
		    (const char *)in->p + n + m, 64);
	in->x->masked++;
	return true;
}

static void
take_digest(const struct logs_record *r, struct traffic_record *ret)
{
	const struct field *f = &r->v[LOGS_INPUT_SHA256];

	if (!f->set || f->n != sizeof(ret->digest))
		return;
	ret->has_digest = true;
	memcpy(ret->digest, f->p, sizeof(ret->digest));
}

int
apilog_input_take(struct apilog_record *x, const struct logs_record *r,
    struct traffic_record *ret, struct err *e)
{
	const struct field *f = &r->v[LOGS_INPUT], *d = &r->v[LOGS_DIMS];
	struct input in = {.x = x, .r = r, .ret = ret, .p = f->p, .n = f->n,
	    .e = e};
	int rc = 0;

	take_digest(r, ret);
	if (!f->set || f->n == 0 || masked(&in))
		return 0;
	if (r->v[LOGS_INPUT_CUT].set && r->v[LOGS_INPUT_CUT].u != 0) {
		x->cut++;
		return 0;
	}
	in.shaped = d->set && apilog_input_shape(d->p, d->n, &in.shape);
	if (is_type(r, "binary"))
		rc = picture(&in, in.p, in.n);
	else if (is_type(r, "messages"))
		last_message(&in);
	else if ((rc = base64(&in)) == 0 && (is_type(r, "json") ||
	    is_type(r, "csv")))
		rc = numbers(&in);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (is_type(r, "json"))
		only_text(&in);
	ret->kind = TRAFFIC_TEXT;
	ret->text = (struct row_text){(const char *)in.p, in.n};
	return 0;
}
