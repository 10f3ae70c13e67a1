#ifndef ANALYZER_INTAKE_SLICEJOB_H_
#define ANALYZER_INTAKE_SLICEJOB_H_

#include <stddef.h>
#include <stdint.h>

#include "analyzer/intake/outbox.h"
#include "custody/slicewire.h"

struct arena;
struct bytesrc;
struct err;
struct lazyfiles;
struct rows_file;

/*
 * A worker's view of a data set whose files its parent holds
 * (custody/slicewire.h): each is asked for when it is read, few are held open
 * at once.
 */
struct slicejob_ids {
	const char *p;
	size_t n;
};

struct slicejob {
	struct slicewire_go go;
	int sock, job_fd, bundle_fd;	/* bundle_fd: -1 unless checking */
	struct outbox out;
	struct arena *arena;
	const char *spec;
	size_t spec_len;
	struct slicejob_ids *ids;
	size_t nids;
	struct rows_file *file;
	size_t files;
	struct lazyfiles *lazy;
	struct err *e;
};

/*
 * slicejob_receive: wait for the message; ${arg} is the worker's argument, a
 * const int * to the socket.  slicejob_fence: no way back; ERR_DENIED when
 * the kernel has no seccomp.  slicejob_load: what the job says.
 */
int slicejob_receive(struct slicejob *j, const void *arg, struct err *e);
int slicejob_fence(struct slicejob *j, int out_fd);
int slicejob_load(struct slicejob *j);
void slicejob_release(struct slicejob *j);

#endif /* !ANALYZER_INTAKE_SLICEJOB_H_ */
