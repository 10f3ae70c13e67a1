#include <string.h>

#include "analyzer/diff/sides.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

/* What writers of models name them. */
static const char *const models[] = {".safetensors", ".gguf", ".ggml",
    ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".ort", ".pkl", ".pickle",
    ".joblib", ".npz", ".npy", ".h5", ".hdf5", ".keras", ".tflite", ".pb",
    ".mar", ".nemo", ".tar", ".zip", ".tgz", ".gz", ".zst", ".xz", ".7z"};

static bool
ends(const char *name, size_t n, const char *tail)
{
	size_t m = strlen(tail);

	return n > m && memcmp(name + n - m, tail, m) == 0;
}

bool
sides_model(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		if (ends(name, n, models[i]))
			return true;
	return false;
}

bool
sides_history(const char *path)
{
	for (const char *p = path; p != NULL; p = strchr(p, '/')) {
		p += *p == '/';
		if (strncmp(p, ".git", 4) == 0 && (p[4] == '/' ||
		    p[4] == '\0'))
			return true;
	}
	return false;
}

static size_t
digits_at(const char *s)
{
	return strspn(s, "0123456789");
}

bool
sides_shard(const char *name, struct sides_shard *ret)
{
	static const char between[] = "-of-";
	const char *of = strstr(name, between), *second, *first;
	size_t n;

	if (of == NULL)
		return false;
	for (first = of; first > name && digits_at(first - 1) > 0; first--)
		;
	second = of + strlen(between);
	n = digits_at(second);
	if (first == of || first < name + 2 || first[-1] != '-' ||
	    n != (size_t)(of - first) || second[n] != '.' ||
	    !text_u64(first, n, 10, UINT32_MAX, &ret->number) ||
	    !text_u64(second, n, 10, UINT32_MAX, &ret->total))
		return false;
	ret->stem = (size_t)(first - name) - 1;
	ret->tail = (size_t)(second - name) + n;
	ret->tail_len = strlen(second + n);
	return ret->total > 0;
}

/* "model.safetensors.index.json": shards are "model-*-of-*.safetensors". */
bool
sides_index(const char *name, struct sides_shard *ret)
{
	static const char tail[] = ".index.json";
	size_t n = strlen(name), stem;

	if (!ends(name, n, tail))
		return false;
	n -= sizeof(tail) - 1;
	for (stem = n; stem > 0 && name[stem - 1] != '.'; stem--)
		;
	if (stem < 2)
		return false;
	*ret = (struct sides_shard){.stem = stem - 1, .tail = stem - 1,
	    .tail_len = n - stem + 1};
	return true;
}

/*
 * External data of ONNX may have any name, so all that is no model of its own
 * comes along.  "tokenizer.model" is a vocabulary, and no suffix above.
 */
bool
sides_beside(const char *given, const char *name)
{
	if (strcmp(given, name) == 0 || name[0] == '.' ||
	    ends(given, strlen(given), ".tar"))
		return false;
	return !sides_model(name) || (ends(given, strlen(given), ".onnx") &&
	    ends(name, strlen(name), ".bin"));
}

bool
sides_unescape(char *dst, size_t cap, const char *src, size_t n)
{
	bool any = false;
	size_t len = 0;
	uint64_t byte;

	for (size_t i = 0; i < n; i++) {
		if (len + 1 >= cap)
			return false;
		if (src[i] == '\\' && n - i >= 4 && src[i + 1] == 'x' &&
		    text_u64(src + i + 2, 2, 16, 255, &byte)) {
			dst[len++] = (char)byte;
			any = true;
			i += 3;
		} else {
			dst[len++] = src[i];
		}
	}
	dst[len] = '\0';
	return any;
}

/* Does a row's path begin with the name of a file that lies beside? */
static bool
is_beside(const struct side *s, const char *path, size_t n)
{
	const char *mark = memchr(path, '!', n);
	size_t len = mark != NULL ? (size_t)(mark - path) : n;
	bool same = false;
	struct buf b;

	buf_init(&b, TEXT_GROWTH * LIMIT_PATH);
	for (size_t i = 0; i < s->job.n && !same; i++) {
		const char *own = s->job.v[i].path;

		buf_clear(&b);
		text_put(&b, own, strlen(own), TEXT_PATH);
		same = b.len == len && memcmp(b.p, path, len) == 0;
	}
	buf_release(&b);
	return same;
}

/* The side is one file; a path in it that is none is a member's. */
static bool
is_one_file(const struct side *s)
{
	return s->job.n > 0 && *s->job.v[0].path == '\0';
}

void
sides_path(struct buf *b, const struct side *s, const char *path, size_t n)
{
	if (n == 0) {
		buf_puts(b, s->given != NULL ? s->given : "");
	} else if (is_one_file(s) && !is_beside(s, path, n)) {
		buf_puts(b, s->file);
		buf_putc(b, '!');
		text_put_literal(b, path, n);
	} else {
		text_put(b, s->folder, strlen(s->folder), TEXT_PATH);
		text_put_literal(b, path, n);
	}
}

void
sides_raw_path(struct buf *b, const struct side *s, const char *path)
{
	if (*path == '\0') {
		sides_path(b, s, "", 0);
		return;
	}
	text_put(b, s->folder, strlen(s->folder), TEXT_PATH);
	text_put(b, path, strlen(path), TEXT_PATH);
}
