#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz_common.h"

/*
 * The plain driver: every file of the corpus folders given, each also cut
 * at some places, through the fuzz target.  For `make test`, where no fuzzer
 * is installed.
 */
static unsigned files;

static void
one(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "rb");
	uint8_t *copy;
	size_t n;

	if (f == NULL)
		return;
	n = fread(buf, 1, sizeof(buf), f);
	(void)fclose(f);
	files++;
	for (unsigned part = 8; part >= 1; part--) {
		size_t m = n * part / 8;

		if ((copy = malloc(m + 1)) == NULL)
			abort();
		memcpy(copy, buf, m);
		(void)LLVMFuzzerTestOneInput(copy, m);
		free(copy);
	}
}

static void
folder(const char *path)
{
	char name[1024];
	struct dirent *de;
	struct stat st;
	DIR *d;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		one(path);
		return;
	}
	if ((d = opendir(path)) == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", path, de->d_name);
		folder(name);
	}
	(void)closedir(d);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		folder(argv[i]);
	(void)printf("%u files replayed\n", files);
	return files > 0 ? 0 : 1;
}
