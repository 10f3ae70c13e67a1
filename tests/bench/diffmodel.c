#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

/*
 * Two versions of a language model for the bench of diff: diffmodel FOLDER
 * LAYERS writes old.safetensors and new.safetensors, F32.  Shapes are those
 * of a LLaMA of 1.1 billion parameters at 22 layers (hidden 2048, inner
 * 5632, 4 heads of keys, 32000 words): 4.1 GiB each.
 *
 * The new version is a dense update, so that no matrix is spared the rank
 * analysis: noise whose size differs from row to row and from column to
 * column, and four components of rank one above it.
 */
#define HIDDEN 2048
#define INNER 5632
#define HEADS 256
#define WORDS 32000
#define COLS_MAX INNER
#define HEAD_MAX (256 * KIB)

struct writer {
	int fd[2];
	char head[HEAD_MAX];
	size_t len;
	uint64_t off;
	uint64_t seed;
};

static float row[2][COLS_MAX], col_scale[COLS_MAX], parts[4][COLS_MAX];

static void
die(const char *what)
{
	(void)fprintf(stderr, "bench: cannot %s\n", what);
	exit(1);
}

static void __attribute__((format(printf, 2, 3)))
put(struct writer *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->head + w->len, HEAD_MAX - w->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= HEAD_MAX - w->len)
		die("hold the header");
	w->len += (size_t)n;
}

/* Each tensor of the model, in the order of the file. */
static void
each(struct writer *w, unsigned layers, void (*fn)(struct writer *w,
    const char *name, unsigned rows, unsigned cols))
{
	static const struct {
		const char *name;
		unsigned rows, cols;
	} parts_of[] = {{"input_layernorm", 1, HIDDEN},
	    {"mlp.down_proj", HIDDEN, INNER}, {"mlp.gate_proj", INNER, HIDDEN},
	    {"mlp.up_proj", INNER, HIDDEN},
	    {"post_attention_layernorm", 1, HIDDEN},
	    {"self_attn.k_proj", HEADS, HIDDEN},
	    {"self_attn.o_proj", HIDDEN, HIDDEN},
	    {"self_attn.q_proj", HIDDEN, HIDDEN},
	    {"self_attn.v_proj", HEADS, HIDDEN}};
	char name[128];

	fn(w, "lm_head.weight", WORDS, HIDDEN);
	fn(w, "model.embed_tokens.weight", WORDS, HIDDEN);
	for (unsigned i = 0; i < layers; i++)
		for (unsigned k = 0; k < sizeof(parts_of) /
		    sizeof(parts_of[0]); k++) {
			(void)snprintf(name, sizeof(name),
			    "model.layers.%u.%s.weight", i, parts_of[k].name);
			fn(w, name, parts_of[k].rows, parts_of[k].cols);
		}
	fn(w, "model.norm.weight", 1, HIDDEN);
}

static void
name_it(struct writer *w, const char *name, unsigned rows, unsigned cols)
{
	uint64_t n = 4 * (uint64_t)rows * cols;

	put(w, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", name);
	if (rows > 1)
		put(w, "%u,", rows);
	put(w, "%u],\"data_offsets\":[%llu,%llu]}", cols,
	    (unsigned long long)w->off, (unsigned long long)(w->off + n));
	w->off += n;
}

/* Nearly normal, of variance one: four bytes of a good mixer. */
static float
normal(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15U;
	int sum;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x ^= x >> 27;
	sum = (int)(x & 255U) + (int)(x >> 8 & 255U) +
	    (int)(x >> 16 & 255U) + (int)(x >> 24 & 255U) - 510;
	return ((float)sum + (float)(x >> 32 & 0xffffU) / 65536.0F) / 147.8F;
}

static void
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	for (ssize_t k; n > 0; n -= (size_t)k, at += k)
		if ((k = write(fd, at, n)) <= 0)
			die("write");
}

static void
fill_it(struct writer *w, const char *name, unsigned rows, unsigned cols)
{
	float scale, up[4], d;

	(void)name;
	for (unsigned j = 0; j < cols; j++) {
		col_scale[j] = expf(0.5F * normal(&w->seed));
		for (unsigned k = 0; k < 4; k++)
			parts[k][j] = normal(&w->seed);
	}
	for (unsigned i = 0; i < rows; i++) {
		scale = 4e-4F * expf(0.5F * normal(&w->seed));
		for (unsigned k = 0; k < 4; k++)
			up[k] = 1e-4F * normal(&w->seed) / (float)(k + 1);
		for (unsigned j = 0; j < cols; j++) {
			row[0][j] = 0.02F * normal(&w->seed);
			d = scale * col_scale[j] * normal(&w->seed);
			for (unsigned k = 0; k < 4; k++)
				d += up[k] * parts[k][j];
			row[1][j] = row[0][j] + d;
		}
		write_all(w->fd[0], row[0], cols * sizeof(float));
		write_all(w->fd[1], row[1], cols * sizeof(float));
	}
}

static int
create(const char *folder, const char *name)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s.safetensors", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die("make a file");
	return fd;
}

int
main(int argc, char **argv)
{
	static struct writer w = {.seed = 1};
	uint64_t len;
	unsigned layers;

	if (argc != 3)
		die("begin: diffmodel FOLDER LAYERS");
	layers = (unsigned)strtoul(argv[2], NULL, 10);
	put(&w, "{\"__metadata__\":{\"format\":\"pt\"}");
	each(&w, layers, name_it);
	put(&w, "}");
	while (w.len % 8 != 0)
		put(&w, " ");
	len = w.len;
	w.fd[0] = create(argv[1], "old");
	w.fd[1] = create(argv[1], "new");
	for (unsigned s = 0; s < 2; s++) {
		write_all(w.fd[s], &len, sizeof(len));
		write_all(w.fd[s], w.head, w.len);
	}
	each(&w, layers, fill_it);
	for (unsigned s = 0; s < 2; s++)
		if (close(w.fd[s]) < 0)
			die("close");
	(void)printf("%.2f billion parameters\n", (double)w.off / 4e9);
	return 0;
}
