#ifndef CLI_REMOTE_H_
#define CLI_REMOTE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/proc.h"
#include "cli/opt.h"
#include "collector/transport.h"

struct buf;
struct err;

/*
 * exhibit-collect on another machine, by the system's ssh.
 *
 * Two connections: a look (what is there, how far is its clock), then the
 * collection.  The program is there already, or it is sent over standard
 * input and run without a file on a disk:
 *
 *	python3, perl	into memory without a name (memfd_create), run there
 *	tmpfs		into /dev/shm or /run/user/UID, its name removed before
 *			it runs; only a file system in memory that is
 *			mounted so that programs may run
 *
 * and else not at all: nothing is ever put on a disk over there.
 *
 * ssh answers no question (BatchMode) unless an option says otherwise, opens no
 * forwarding, shares no connection.  What the other side says on standard
 * error is shown, made printable, by a process of its own.
 */
struct remote_params {
	const char *host;		/* [USER@]HOST, as for ssh */
	const struct opt_list *options;	/* -o of ssh, before ours */
	const char *collect;		/* path over there; NULL: send it */
	const char *program;		/* what is sent; NULL: beside us */
};

struct remote;

/*
 * remote_new: start the processes and have the look.  Before a key is
 * loaded.  ERR_ARG: a host or program that cannot be; ERR_UNSUPPORTED: no
 * way to run the program there; ERR_CHILD: ssh failed, and has said why.
 */
int remote_new(const struct remote_params *p, struct remote **ret,
    struct err *e);
/* remote_run: begin the collection with these arguments (NULL ends). */
int remote_run(struct remote *m, const char *const *args, struct err *e);
/* remote_receive: for receive_body, valid as long as ${m}. */
struct receive *remote_receive(struct remote *m);
/* remote_free: ends what still runs; NULL does nothing. */
void remote_free(struct remote *m);

/* remote_quote: one word for a shell over there, appended. */
void remote_quote(struct buf *b, const char *word);

/*
 * remote_says.c: show what comes from ${in}, each line behind ${host}, until
 * its end; of a ${log} (ssh's own) not the notes for debugging.
 * remote_says_end: wait for that; the host's key out of a log, or "".
 */
#define REMOTE_KEY 160
int remote_says_start(struct proc *p, int in, const char *host, bool log,
    struct err *e);
void remote_says_end(struct proc *p, char key[REMOTE_KEY]);

/* remote_look.c: what the look has found. */
enum remote_has {
	REMOTE_PYTHON = 1 << 0,
	REMOTE_PERL = 1 << 1,
	REMOTE_SHM = 1 << 2,		/* /dev/shm: tmpfs, programs may run */
	REMOTE_RUN = 1 << 3,		/* /run/user/UID likewise */
	REMOTE_ALL = (1 << 4) - 1,
};
struct remote_look {
	char machine[17];		/* uname -m */
	unsigned has;
	bool has_clock;
	int64_t offset_ns, error_ns;
};
/* The script that the shell over there runs: no line feed, no single quote. */
extern const char remote_look_script[];
/*
 * remote_look_start: a fenced process that talks to the script through
 * ${in} and ${out}; remote_look_end: what it says, ERR_CHILD if nothing.
 */
int remote_look_start(struct proc *p, int in, int out, struct err *e);
int remote_look_end(struct proc *p, struct remote_look *ret, struct err *e);

#endif /* !CLI_REMOTE_H_ */
