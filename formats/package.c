#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/exe.h"
#include "formats/package.h"

/* Programs that are remembered; past it they are counted. */
#define PROGRAMS_MAX 64

struct program {
	const char *name, *kind;
	size_t n;
	uint64_t off, size;
};

struct package {
	struct parse *p;
	struct program program[PROGRAMS_MAX];
	unsigned nprograms;
	uint64_t more;
	uint64_t files, arrays;	/* all but programs; those named *.npy */
	bool pickle, sources;	/* torch: data.pkl; .data/extern_modules */
	bool keras, skops, weights, code;
};

struct package *
package_new(struct parse *p)
{
	struct package *k = arena_alloc(p->arena, sizeof(*k));

	if (k != NULL)
		k->p = p;
	return k;
}

static bool
ends(const char *p, size_t n, const char *with)
{
	size_t k = strlen(with);

	return n >= k && memcmp(p + n - k, with, k) == 0;
}

static bool
holds(const char *p, size_t n, const char *what)
{
	return memmem(p, n, what, strlen(what)) != NULL;
}

static bool
ends_any(const char *p, size_t n, const char *const *with)
{
	for (; *with != NULL; with++)
		if (ends(p, n, *with))
			return true;
	return false;
}

static void
see_name(struct package *k, const char *p, size_t n, bool program)
{
	static const char *const weights[] = {".safetensors", ".gguf",
	    ".onnx", ".pt", ".pth", ".ckpt", "pytorch_model.bin", ".tflite",
	    ".keras", ".h5", ".pdiparams", ".mlmodel", NULL};
	static const char *const code[] = {"META-INF/MANIFEST.MF",
	    "MAR-INF/MANIFEST.json", "classes.dex", "setup.py",
	    "pyproject.toml", ".dist-info/METADATA", ".dist-info/RECORD",
	    "Makefile", "package.json", NULL};

	if (n > 0 && p[n - 1] == '/')
		return;
	k->files += !program;
	k->arrays += ends(p, n, ".npy");
	k->pickle |= ends(p, n, "/data.pkl");
	k->sources |= ends(p, n, ".data/extern_modules");
	k->keras |= ends(p, n, "model.weights.h5");
	k->skops |= n == 11 && ends(p, n, "schema.json");
	k->weights |= ends_any(p, n, weights);
	k->code |= ends_any(p, n, code);
}

/* TorchScript keeps what it compiled from, and torch.package its modules. */
static bool
is_torch_source(const struct package *k, const struct program *v)
{
	return strcmp(v->kind, "python") == 0 && k->pickle &&
	    (k->sources || holds(v->name, v->n, "/code/"));
}

int
package_member(struct package *k, const struct ev_member *m)
{
	static uint8_t head[FORMAT_HEAD];
	const char *kind = NULL;
	struct program *v;
	struct cursor c;
	size_t n;
	int r;

	if (m->src == NULL)
		return 0;
	if ((r = bytesrc_read_some(m->src, 0, head, sizeof(head), &n,
	    k->p->e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	/* A program's name says what the archive is for all the same. */
	see_name(k, m->name, m->name_len, exe_at(c, m->size, &kind) > 0);
	if (kind == NULL)
		return 0;
	if (k->nprograms == PROGRAMS_MAX) {
		k->more++;
		return 0;
	}
	v = &k->program[k->nprograms++];
	*v = (struct program){.kind = kind, .n = m->name_len,
	    .off = m->off, .size = m->size};
	if ((v->name = arena_dup(k->p->arena, m->name, m->name_len)) == NULL)
		return err_set(k->p->e, ERR_NOMEM, "out of memory");
	return 0;
}

/* What does the archive hold that a program does not belong to? */
static const char *
tensors(const struct package *k)
{
	if (k->pickle && !k->code)
		return "torch";
	if (k->arrays > 0 && k->arrays >= k->files)
		return "npz";
	if (k->keras)
		return "keras";
	return k->skops ? "skops" : NULL;
}

/* Scripts that a repository of weights has for its users. */
static bool
is_usual_script(const char *kind)
{
	return exe_is_text(kind) && strcmp(kind, "batch") != 0 &&
	    strcmp(kind, "powershell") != 0 && strcmp(kind, "vbscript") != 0;
}

int
package_end(struct package *k)
{
	const char *of = tensors(k);
	struct fact f[4];
	int r = 0;

	for (unsigned i = 0; i < k->nprograms && r >= 0; i++) {
		const struct program *v = &k->program[i];

		if (is_torch_source(k, v) || (of == NULL && (!k->weights ||
		    k->code || is_usual_script(v->kind))))
			continue;
		f[0] = (struct fact)FACT_TEXT("name", v->name, v->n);
		f[1] = (struct fact)FACT_TEXT("kind", v->kind,
		    strlen(v->kind));
		f[2] = (struct fact)FACT_TEXT("archive", of != NULL ? of :
		    "weights", of != NULL ? strlen(of) : 7);
		f[3] = (struct fact)FACT_NUM("not_listed", k->more);
		r = format_anomaly(k->p, of != NULL ? ANOMALY_EXE_MISPLACED :
		    ANOMALY_EXE_IN_MODEL, v->off, 0, f, k->more > 0 ? 4 : 3);
	}
	return r;
}
