#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "tools/mksample.h"

/*
 * mksample SAMPLES OUT: assemble every SAMPLES/<dir>/<name>.recipe to the
 * file OUT/<dir>/<name>.
 * mksample --cases DIR OUT: assemble the cases of DIR (mksample_cases.c).
 *
 * The language is described in mksample.h.
 */

void
sample_write(const struct stmt *s, const char *path, struct buf *b)
{
	FILE *f;

	if (buf_failed(b) < 0 || (f = fopen(path, "wb")) == NULL ||
	    (b->len > 0 && fwrite(b->p, 1, b->len, f) != b->len) ||
	    fclose(f) != 0)
		die(s, "cannot write the sample");
}

static void
assemble(const char *recipe, const char *out)
{
	const struct stmt whole = {.path = recipe, .line = 1};
	const struct scope top = {.def = NULL};
	struct script *sc;
	struct buf b;

	if ((sc = script_read(recipe)) == NULL)
		die(&whole, "cannot read the recipe");
	buf_init(&b, SAMPLE_MAX);
	run_defs(sc);
	run(sc->stmt, sc->stmt + sc->count, &top, &b);
	run_forget(sc);
	sample_write(&whole, out, &b);
	buf_release(&b);
	script_free(sc);
}

static void
folder(const char *root, const char *dir, const char *out)
{
	char from[1024], to[1024];
	struct dirent *de;
	size_t n;
	DIR *d;

	(void)snprintf(from, sizeof(from), "%s/%s", root, dir);
	if ((d = opendir(from)) == NULL)
		return;
	(void)snprintf(to, sizeof(to), "%s/%s", out, dir);
	while ((de = readdir(d)) != NULL) {
		n = strlen(de->d_name);
		if (n <= 7 || strcmp(de->d_name + n - 7, ".recipe") != 0)
			continue;
		(void)mkdir(to, 0755);
		(void)snprintf(from, sizeof(from), "%s/%s/%s", root, dir,
		    de->d_name);
		(void)snprintf(to, sizeof(to), "%s/%s/%.*s", out, dir,
		    (int)(n - 7), de->d_name);
		assemble(from, to);
		(void)snprintf(to, sizeof(to), "%s/%s", out, dir);
	}
	(void)closedir(d);
}

static int
samples(const char *root, const char *out)
{
	struct dirent *de;
	DIR *d;

	run_root(root);
	if ((d = opendir(root)) == NULL) {
		(void)fprintf(stderr, "cannot read '%s'\n", root);
		return 1;
	}
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			folder(root, de->d_name, out);
	(void)closedir(d);
	return 0;
}

int
main(int argc, char **argv)
{
	bool cases = argc == 4 && strcmp(argv[1], "--cases") == 0;
	const char *out = argv[argc - 1];

	if (argc != 3 && !cases) {
		(void)fprintf(stderr, "usage: mksample SAMPLES OUT\n"
		    "       mksample --cases DIR OUT\n");
		return 64;
	}
	if (mkdir(out, 0755) < 0 && errno != EEXIST) {
		(void)fprintf(stderr, "cannot make '%s'\n", out);
		return 1;
	}
	return cases ? cases_folder(argv[2], out) : samples(argv[1], out);
}
