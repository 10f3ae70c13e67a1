#ifndef ANALYZER_INTAKE_GIT_WORKER_H_
#define ANALYZER_INTAKE_GIT_WORKER_H_

/*
 * Git repositories among what was taken, for collector/intake.h; rows and
 * problems are regwire.h's.
 *
 * libgit2 reads files by their paths.  So this process, which parses nothing,
 * copies a repository's own files out of the bundle into a private folder in
 * $TMPDIR (else /var/tmp), starts a second process that enters the fence with
 * leave to read that folder alone (gitrepo.h), waits for it, and takes the
 * folder away.  Ended by a signal, it leaves that folder behind.
 */
int git_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_INTAKE_GIT_WORKER_H_ */
