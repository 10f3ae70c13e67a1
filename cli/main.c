#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "base/version.h"
#include "cli/cmd.h"

/*
 * exhibit: one command, a table of words.
 *
 * The locale and time zone are set here once, before anything forks: a
 * worker that asked for them later would open files inside the fence.
 */
static const struct {
	const char *word;
	int (*fn)(int, char **);
	const char *summary;
} commands[] = {
#define COMMAND(word, fn, summary) {word, fn, summary},
#include "cli/commands.def"
#undef COMMAND
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
print_usage(FILE *f)
{
	(void)fprintf(f, "usage: exhibit COMMAND [OPTION...] [OPERAND...]\n\n"
	    "Collect evidence after an AI incident, and find out what happened"
	    " to the model.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(f, "  %-10s %s\n", commands[i].word,
		    commands[i].summary);
	(void)fprintf(f, "\n'exhibit COMMAND --help' tells more; see "
	    "exhibit(1).\n");
}

static int
finish(int code)
{
	/* A result that did not reach its reader is not a result. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fprintf(stderr, "exhibit: cannot write output\n");
		return cmd_worse(code, EXIT_FAILED);
	}
	return code;
}

int
main(int argc, char **argv)
{
	char shown[128];

	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("TZ", "UTC0", 1);
	tzset();
	(void)umask(077);
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_usage(stdout);
		return finish(EXIT_CLEAN);
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("exhibit %s\n", EXHIBIT_VERSION);
		return finish(EXIT_CLEAN);
	}
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].word) == 0)
			return finish(commands[i].fn(argc - 1, argv + 1));
	(void)fprintf(stderr, "exhibit: no such command '%s'\n",
	    text_z(shown, sizeof(shown), argv[1], strlen(argv[1])));
	print_usage(stderr);
	return EXIT_USAGE;
}
