#ifndef CLI_REMOTE_PARTS_H_
#define CLI_REMOTE_PARTS_H_

#include <stdint.h>

#include "base/buf.h"
#include "base/proc.h"
#include "cli/remote.h"
#include "collector/transport.h"

/* Shared by remote.c and remote_way.c, and by nobody else. */
struct remote {
	struct remote_params p;
	struct remote_look look;
	int err[2], body[2], feed[2], log[2];	/* pipes, -1 once closed */
	int program;		/* standard input of the collection */
	struct proc says, heard, pump, worker, ssh;
	const char **argv;
	char log_path[48];
	struct buf command;
	enum remote_has way;	/* how it is sent; 0: it is there */
	uint8_t program_sha256[32];
	struct transport t;
	struct receive receive;
};

/* For proc.deadline. */
int64_t remote_deadline(int seconds);
/* remote_way_choose: how to run it, out of the look; opens the program. */
int remote_way_choose(struct remote *m, struct err *e);
/* remote_way_command: the command without the program's own arguments. */
void remote_way_command(const struct remote *m, struct buf *b);

#endif /* !CLI_REMOTE_PARTS_H_ */
