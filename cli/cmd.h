#ifndef CLI_CMD_H_
#define CLI_CMD_H_

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;

/*
 * Commands and what they share.
 *
 * Adding a command: cli/cmd_foo.c with `int cmd_foo(int argc, char **argv)`
 * and one row in commands.def.  argv[0] is the command's word.  A command
 * prints its result on stdout, talks on stderr and returns an exit code.
 */
enum exit_code {
	EXIT_CLEAN = 0,		/* nothing at or above the threshold */
	EXIT_FOUND = 1,		/* findings at or above it */
	EXIT_FAILED = 2,	/* our side failed, or the result is incomplete */
	EXIT_UNVERIFIED = 3,	/* verification failed */
	EXIT_USAGE = 64,
	EXIT_BUG = 70,
};

#define COMMAND(word, fn, summary) int fn(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

/* cmd_worse: which of two codes to return: 70, 64, 3, 1, 2, 0. */
int cmd_worse(int a, int b);

/* cmd_fail: "exhibit: <message>" on stderr; returns 2, or 64 for ERR_ARG. */
int cmd_fail(const struct err *e);

/*
 * Where a command's results go: standard output, or -o FILE, which is
 * written beside it and renamed over it when everything was written.
 */
struct cmd_output {
	int fd;
	char *path, *tmp;	/* NULL: standard output */
};
int cmd_output_open(struct cmd_output *o, const char *path, struct err *e);
int cmd_output_commit(struct cmd_output *o, struct err *e);
void cmd_output_abandon(struct cmd_output *o);

/* cmd_colour: is it a terminal, and NO_COLOR not set? */
bool cmd_colour(int fd);

/* cmd_file_sha256: digest of a file that we have just written. */
int cmd_file_sha256(const char *path, uint8_t ret[32], struct err *e);

/* cmd_read_pem: append the PEM file of --trust and the like. */
int cmd_read_pem(const char *path, struct buf *b, struct err *e);

#endif /* !CLI_CMD_H_ */
