#ifndef CLI_OPT_H_
#define CLI_OPT_H_

#include <stdbool.h>
#include <stddef.h>

/*
 * Options by table.  A command gives rows; opt_parse fills them in.  Options
 * may follow operands, "--" ends them, "--name=value" and "--name value"
 * are the same, short ones stand alone (-o FILE).  A repeated OPT_STRING is
 * a usage error; OPT_LIST collects.  The help text is made of the same rows.
 */
enum opt_kind {
	OPT_FLAG,	/* bool */
	OPT_STRING,	/* const char * */
	OPT_LIST,	/* struct opt_list */
	OPT_END
};

struct opt_list {
	const char **items;
	size_t count;
};

struct opt {
	enum opt_kind kind;
	char letter;		/* 'o', or 0 */
	const char *name;	/* "output", or NULL: only the letter */
	void *target;
	const char *arg;	/* "FILE", or NULL for a flag */
	const char *help;
};
#define OPT_ROWS_END {OPT_END, 0, NULL, NULL, NULL, NULL}

struct opt_usage {
	const char *program;	/* "exhibit scan" */
	const char *synopsis;	/* "[OPTION...] PATH..." */
	const char *summary;	/* one line */
};

/*
 * opt_parse: 0 and operands in *args (in order), or an exit code + 1 that the
 * caller must return with opt_exit: --help was printed (0) or the usage is
 * wrong (64).
 */
struct opt_args {
	const char **items;
	size_t count;
};
int opt_parse(int argc, char **argv, const struct opt_usage *u,
    const struct opt *rows, struct opt_args *args);
#define OPT_DONE(r) ((r) - 1)

void opt_release(const struct opt *rows, struct opt_args *args);
/* opt_usage_error: message and hint on stderr; returns 64. */
int opt_usage_error(const struct opt_usage *u, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* !CLI_OPT_H_ */
